/**
 * The errors of IAM, in the words that Amazon sends. Each function returns the error to throw.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
 * @module
 */

import { type ErrorCode, S3Error } from "../s3/errors.ts";

function refusal(code: ErrorCode, message: string): S3Error {
  return new S3Error(code, {}, { message });
}

/** Returns `NoSuchEntity` for a name of which there is no user, group or inline policy. */
export function noSuch(
  kind: "user" | "group" | "user policy" | "group policy",
  name: string,
): S3Error {
  return refusal("NoSuchEntity", `The ${kind} with name ${name} cannot be found.`);
}

/** Returns `NoSuchEntity` for an access key. */
export function noSuchKey(id: string): S3Error {
  return refusal("NoSuchEntity", `The Access Key with id ${id} cannot be found.`);
}

/** Returns `NoSuchEntity` for the ARN of a managed policy. */
export function noSuchPolicy(arn: string): S3Error {
  return refusal("NoSuchEntity", `Policy ${arn} was not found.`);
}

/** Returns `NoSuchEntity` for a managed policy that is to be attached. */
export function notAttachable(arn: string): S3Error {
  return refusal("NoSuchEntity", `Policy ${arn} does not exist or is not attachable.`);
}

/** Returns `NoSuchEntity` for a version of a managed policy. */
export function noSuchVersion(arn: string, version: string): S3Error {
  return refusal(
    "NoSuchEntity",
    `Policy ${arn} version ${version} does not exist or is not attachable.`,
  );
}

/** Returns `NoSuchEntity` with a message. */
export function notFound(message: string): S3Error {
  return refusal("NoSuchEntity", message);
}

/** Returns `EntityAlreadyExists` for the name of a user or group. */
export function alreadyExists(kind: "User" | "Group", name: string): S3Error {
  return refusal("EntityAlreadyExists", `${kind} with name ${name} already exists.`);
}

/** Returns `EntityAlreadyExists` with a message. */
export function taken(message: string): S3Error {
  return refusal("EntityAlreadyExists", message);
}

/** Returns `DeleteConflict` with a message. */
export function inUse(message: string): S3Error {
  return refusal("DeleteConflict", message);
}

/** Returns `LimitExceeded` for one of Amazon's quotas. */
export function overQuota(quota: string, limit: number): S3Error {
  return refusal("LimitExceeded", `Cannot exceed quota for ${quota}: ${limit}`);
}

/** Returns `LimitExceeded` with a message. */
export function tooMuch(message: string): S3Error {
  return refusal("LimitExceeded", message);
}

/** Returns `MalformedPolicyDocument` with the reason. */
export function malformedPolicy(reason: string): S3Error {
  return refusal("MalformedPolicyDocument", reason);
}

/** Returns `InvalidInput` with the reason. */
export function invalidInput(reason: string): S3Error {
  return refusal("InvalidInput", reason);
}

/** Returns `ValidationError` with the reason. */
export function invalid(reason: string): S3Error {
  return refusal("ValidationError", reason);
}

/** Returns `ValidationError` for a parameter that violates a constraint, whose value the message does not repeat. */
export function violates(parameter: string, constraint: string): S3Error {
  return invalid(
    `1 validation error detected: Value at '${parameter}' failed to satisfy constraint: ${constraint}`,
  );
}
