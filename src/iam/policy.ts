/**
 * Policies, parsed and compiled once.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * @module
 */

/** A policy that was parsed and compiled. */
export type CompiledPolicy = {
  /** Where it comes from, for explanations: an ARN, `inline policy NAME of user ALICE`, `bucket policy`. */
  readonly origin: string;
};
