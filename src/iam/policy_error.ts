/**
 * Why a policy is refused.
 * @module
 */

/**
 * A policy is malformed. The message is the one that Amazon sends: in `MalformedPolicy` for a bucket, and in
 * `MalformedPolicyDocument` for an identity.
 */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
}
