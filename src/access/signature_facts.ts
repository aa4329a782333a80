/**
 * How a request was signed and when, as conditions of policies see it. Authentication has checked the signature.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
 * @module
 */

import type { VerifiedRequest } from "../s3/verified_request.ts";

type SignedRequest = Pick<VerifiedRequest, "headers" | "query">;

/** Returns the value of `s3:authType`; undefined for an unsigned request. */
export function authTypeOf(
  { headers, query }: SignedRequest,
): "REST-HEADER" | "REST-QUERY-STRING" | undefined {
  if (headers.has("authorization")) return "REST-HEADER";
  return query.has("X-Amz-Signature") || query.has("Signature") ? "REST-QUERY-STRING" : undefined;
}

/** Returns the value of `s3:signatureversion`; undefined for an unsigned request. */
export function signatureVersionOf(
  { headers, query }: SignedRequest,
): "AWS" | "AWS4-HMAC-SHA256" | undefined {
  const authorization = headers.get("authorization");
  if (authorization !== null) return authorization.startsWith("AWS4") ? "AWS4-HMAC-SHA256" : "AWS";
  if (query.has("X-Amz-Signature")) return "AWS4-HMAC-SHA256";
  return query.has("Signature") ? "AWS" : undefined;
}

/**
 * Returns when a request was signed; undefined for an unsigned one and for a URL presigned with SigV2, which states only
 * its end.
 *
 * @example Usage
 * ```ts
 * import { signatureTimeOf } from "./signature_facts.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const headers = new Headers({ "authorization": "AWS4-HMAC-SHA256", "x-amz-date": "20240501T100000Z" });
 * const time = signatureTimeOf({ headers, query: new Map() });
 * strictEqual(time?.toISOString(), "2024-05-01T10:00:00.000Z");
 * ```
 */
export function signatureTimeOf(
  { headers, query }: {
    readonly headers: Pick<SignedRequest["headers"], "get" | "has">;
    readonly query: SignedRequest["query"];
  },
): Date | undefined {
  const text = headers.has("authorization")
    ? headers.get("x-amz-date") ?? headers.get("date")
    : query.get("X-Amz-Date");
  if (text === null || text === undefined) return undefined;
  const time = new Date(Date.parse(isBasic(text) ? toExtended(text) : text));
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function isBasic(text: string): boolean {
  return /^\d{8}T\d{6}Z$/.test(text);
}

/** Turns `20240501T100000Z` into `2024-05-01T10:00:00Z`. */
function toExtended(text: string): string {
  const [year, month, day] = [text.slice(0, 4), text.slice(4, 6), text.slice(6, 8)];
  return `${year}-${month}-${day}T${text.slice(9, 11)}:${text.slice(11, 13)}:${text.slice(13)}`;
}
