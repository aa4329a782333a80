/**
 * Why a policy is refused.
 * @module
 */

const SYNTAX = "Syntax errors in policy.";

/**
 * A policy is malformed. S3 and IAM find the same faults, but most of them have another name: the message is the one that S3
 * sends in `MalformedPolicy`, and `ofIam` the one that IAM sends in `MalformedPolicyDocument`.
 */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  readonly ofIam: string;

  constructor(message: string, options: ErrorOptions & { readonly ofIam?: string } = {}) {
    super(message, options);
    this.ofIam = options.ofIam ?? SYNTAX;
  }
}

/** Returns the error for a policy that does not follow the grammar. */
export function invalidSyntax(): PolicyError {
  return new PolicyError("Invalid policy syntax.");
}

/** Returns the error for two members of one name, or for an element together with its opposite. */
export function alreadyThere(name: string): PolicyError {
  return new PolicyError(`Statement/policy already has instance of ${name}`);
}
