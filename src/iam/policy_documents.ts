/**
 * Policy documents as IAM keeps them: the checks before one is kept, and their sizes.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
 * @module
 */

import type { InlinePolicies } from "./entities.ts";
import { parsePolicy } from "./policy.ts";
import { PolicyError } from "./policy_error.ts";
import { malformedPolicy, overQuota, tooMuch, violates } from "./refusals.ts";

/** Longest managed policy, in characters that are not blanks. */
export const MAX_MANAGED = 6144;
/** Longest inline policies of an entity together, in characters that are not blanks. */
export const MAX_INLINE = { user: 2048, group: 5120 } as const;
/**
 * Longest document, and longest inline policies together, with blanks: a record, which may hold five versions, must fit into
 * one message.
 */
const MAX_TEXT = 32 * 1024;
const MAX_TEXTS = 128 * 1024;

/** Tabs, ends of lines and Latin 1, as the API's pattern says. */
const PRINTABLE = /^[\t\n\r -\u00ff]*$/;

/**
 * Checks the document of a managed policy.
 *
 * @throws S3Error `MalformedPolicyDocument`, `LimitExceeded`
 */
export function checkManaged(document: string): void {
  checkDocument(document);
  if (sizeOf(document) > MAX_MANAGED) throw overQuota("PolicySize", MAX_MANAGED);
}

/**
 * Checks the document of an inline policy, and the size of an entity's inline policies with it.
 *
 * @param all The inline policies of the entity, with the new one.
 * @throws S3Error `MalformedPolicyDocument`, `LimitExceeded`
 */
export function checkInline(
  kind: "user" | "group",
  name: string,
  document: string,
  all: InlinePolicies,
): void {
  checkDocument(document);
  const max = MAX_INLINE[kind];
  const texts = [...all.values()].join("");
  if (sizeOf(texts) > max || texts.length > MAX_TEXTS) {
    throw tooMuch(`Maximum policy size of ${max} bytes exceeded for ${kind} ${name}`);
  }
}

/**
 * Checks that a text is a policy document of an identity.
 *
 * @throws S3Error `MalformedPolicyDocument`
 */
export function checkDocument(document: string): void {
  if (document === "") {
    throw violates("policyDocument", "Member must have length greater than or equal to 1");
  }
  if (document.length > MAX_TEXT) {
    throw violates("policyDocument", `Member must have length less than or equal to ${MAX_TEXT}`);
  }
  if (!PRINTABLE.test(document)) {
    throw malformedPolicy("The policy contains characters that are not permitted.");
  }
  try {
    parsePolicy(document, "identity", { origin: "" });
  } catch (cause) {
    throw cause instanceof PolicyError ? malformedPolicy(cause.message) : cause;
  }
}

/** Returns the size of a document as Amazon counts it: without blanks. */
function sizeOf(document: string): number {
  let size = 0;
  for (const char of document) {
    if (char !== " " && char !== "\n" && char !== "\t" && char !== "\r") size++;
  }
  return size;
}
