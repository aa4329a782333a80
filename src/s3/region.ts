/**
 * The region of buckets: one that the operator names, or the one that each request names.
 * @module
 */

import type { S3Request } from "./request.ts";

/** The setting that accepts every region. Every bucket is then in the region that a request was signed for. */
export const ANY_REGION = "*";

/**
 * Amazon's first region, which has rules of its own. If every region is accepted, requests that are not signed for one are
 * about this one.
 */
export const FIRST_REGION = "us-east-1";

/** Returns whether a text can be the name of a region; names are often invented. */
export function isRegionName(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(text);
}

/**
 * Returns the region of a bucket that was created without a location.
 *
 * @param signed The region that the request about the bucket was signed for.
 */
export function homeRegion(configured: string, signed: string): string {
  return configured === ANY_REGION ? signed : configured;
}

/** Returns the region that a request without one is about. */
export function regionOfUnsigned(configured: string): string {
  return configured === ANY_REGION ? FIRST_REGION : configured;
}

/**
 * Returns the region that an error names although the request's signature was not accepted.
 *
 * @example Usage
 * ```ts
 * import { claimedRegion } from "./region.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const headers = new Headers({ authorization: "AWS4-HMAC-SHA256 Credential=a/20240501/garage/s3/aws4_request" });
 * strictEqual(claimedRegion("*", { headers, query: new Map() }), "garage");
 * strictEqual(claimedRegion("us-east-1", { headers, query: new Map() }), "us-east-1");
 * ```
 */
export function claimedRegion(
  configured: string,
  { headers, query }: {
    readonly headers: Pick<Headers, "get">;
    readonly query: S3Request["query"];
  },
): string {
  if (configured !== ANY_REGION) return configured;
  const text = headers.get("authorization") ?? query.get("X-Amz-Credential") ?? "";
  const end = text.indexOf("/s3/aws4_request");
  const region = text.slice(text.lastIndexOf("/", end - 1) + 1, Math.max(end, 0));
  return isRegionName(region) ? region : FIRST_REGION;
}
