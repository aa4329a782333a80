/**
 * The bucket policy that lets everybody read all objects of a bucket, as web sites need it.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteAccessPermissionsReqd.html and
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 *
 * It is compared by what it says, as IAM's grammar spells it: one value or a list of one, `"*"` or `{"AWS":"*"}`, with or
 * without `Id` and `Sid`. A policy with anything else in it is another policy, because it may grant more or less.
 * @module
 */

import { S3Error } from "./errors.ts";

/** A policy, as far as it is told apart here. */
export type Policy =
  | {
    readonly kind: "public-read";
    /** Name of the bucket in the resource. */
    readonly bucket: string;
  }
  | { readonly kind: "other" };

/** Maximum size of a policy, in bytes. */
export const MAX_POLICY = 20 * 1024;

const VERSION = "2012-10-17";
const RESOURCE = "arn:aws:s3:::";
const OTHER = { kind: "other" } as const;

/**
 * Parses a policy.
 *
 * @throws S3Error `MalformedPolicy` for text that is not JSON of an object
 *
 * @example Usage
 * ```ts
 * import { formatPublicRead, parsePolicy } from "./policy.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const policy = parsePolicy(formatPublicRead("photos"));
 * deepStrictEqual(policy, { kind: "public-read", bucket: "photos" });
 * deepStrictEqual(parsePolicy('{"Version":"2012-10-17","Statement":[]}'), { kind: "other" });
 * ```
 */
export function parsePolicy(text: string): Policy {
  const policy = parseJson(text);
  // A name that stands twice has two values, of which JSON.parse() returns the last.
  if (countQuotes(text) !== countQuotes(JSON.stringify(policy))) return OTHER;
  const { Version: version, Statement: statement, ...others } = policy;
  if (version !== VERSION || !hasOnly(others, "Id")) return OTHER;
  const only = onlyOf(statement);
  if (!isRecord(only)) return OTHER;
  const { Effect: effect, Principal: principal, Action: action, Resource: resource, ...more } =
    only;
  const isRead = effect === "Allow" && isEverybody(principal) &&
    onlyOf(action) === "s3:GetObject" && hasOnly(more, "Sid");
  const bucket = bucketOf(onlyOf(resource));
  return isRead && bucket !== undefined ? { kind: "public-read", bucket } : OTHER;
}

/** Returns whether a policy lets everybody read all objects of a bucket. Text that nobody can read does not. */
export function isPublicRead(text: string, bucket: string): boolean {
  try {
    const policy = parsePolicy(text);
    return policy.kind === "public-read" && policy.bucket === bucket;
  } catch {
    return false;
  }
}

/** Returns the policy that lets everybody read all objects of a bucket, as AWS's guide writes it. */
export function formatPublicRead(bucket: string): string {
  return JSON.stringify({
    Version: VERSION,
    Statement: [{
      Sid: "PublicReadGetObject",
      Effect: "Allow",
      Principal: "*",
      Action: "s3:GetObject",
      Resource: `${RESOURCE}${bucket}/*`,
    }],
  });
}

function parseJson(text: string): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = text.startsWith("{") ? JSON.parse(text) : undefined;
  } catch (cause) {
    throw new S3Error("MalformedPolicy", {}, { cause });
  }
  if (!isRecord(json)) throw new S3Error("MalformedPolicy");
  return json;
}

function countQuotes(text: string): number {
  return text.split('"').length - 1;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns whether there is nothing but a text under one name. */
function hasOnly(record: Readonly<Record<string, unknown>>, name: string): boolean {
  return Object.entries(record).every(([key, value]) => key === name && typeof value === "string");
}

/** Returns the element of a list of one, and any other value as it is. */
function onlyOf(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

function isEverybody(principal: unknown): boolean {
  if (principal === "*") return true;
  return isRecord(principal) && Object.keys(principal).length === 1 &&
    onlyOf(principal["AWS"]) === "*";
}

/** Returns the bucket of a resource that is all objects of one bucket. */
function bucketOf(resource: unknown): string | undefined {
  if (typeof resource !== "string") return undefined;
  if (!resource.startsWith(RESOURCE) || !resource.endsWith("/*")) return undefined;
  const bucket = resource.slice(RESOURCE.length, -"/*".length);
  return /^[\w.-]+$/.test(bucket) ? bucket : undefined;
}
