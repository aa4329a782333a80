/**
 * AWS Signature Version 2: HMAC-SHA1, in the Authorization header or in the query.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
 *
 * boto3 still presigns with it by default. It signs neither the payload nor the query, except for sub-resources. That is
 * why it can be switched off.
 *
 * The gateway refuses a query that repeats a sub-resource or encodes its name. Operations read decoded names, so such a
 * parameter could act without being signed. No SDK sends one.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { isSameText } from "../crypto/timing_safe_equal.ts";
import { S3Error } from "../s3/errors.ts";
import { decodePercent, parseQueryPairs, type Query, type S3Request } from "../s3/request.ts";
import type { RequestHeaders } from "../s3/request_headers.ts";
import { SIGNED_BY_SIGV2 } from "../s3/subresources.ts";
import { checkRequestTime, formatSeconds, readRequestTime } from "./request_time.ts";
import { signatureDoesNotMatch } from "./signature_mismatch.ts";
import type { Verifier } from "./sigv4.ts";

/** Where SigV2 is accepted: nowhere, in presigned URLs, or in presigned URLs and the header. */
export const SIGV2_MODES = ["off", "presigned", "on"] as const;
/** One of {@linkcode SIGV2_MODES}. */
export type SigV2Mode = typeof SIGV2_MODES[number];

/** Headers other than `x-amz-*` that a presigned URL may carry in its query. */
export const SIGV2_HOISTED = ["content-md5", "content-type"] as const;

const DUMMY_SECRETS = ["0000000000000000000000000000000000000000"];

/** Query names that are part of the signed resource: those of AWS's page, and those that the SDKs add. */
export const SIGNED_QUERY: ReadonlySet<string> = new Set([
  ...SIGNED_BY_SIGV2,
  "defaultObjectAcl",
  "response-cache-control",
  "response-content-disposition",
  "response-content-encoding",
  "response-content-language",
  "response-content-type",
  "response-expires",
  "select-type",
  "storageClass",
]);

/** Returns whether an Authorization header is of SigV2. */
export function isSigV2Header(authorization: string): boolean {
  return authorization.startsWith("AWS ");
}

/** Returns whether the query carries a signature of SigV2. */
export function isSigV2Presigned(query: Query): boolean {
  return query.has("Signature") || query.has("AWSAccessKeyId");
}

/**
 * Checks the signature in the Authorization header.
 *
 * @throws S3Error `InvalidArgument`, `AccessDenied`, `RequestTimeTooSkewed`, `InvalidAccessKeyId`, `SignatureDoesNotMatch`
 */
export function verifySigV2Header(request: S3Request, verifier: Verifier): string {
  const { headers } = request;
  const authorization = headers.get("authorization") ?? "";
  // Split by hand, because a regular expression would backtrack over the blanks.
  const pair = authorization.slice("AWS".length).replace(/^ +/, "");
  const colon = pair.lastIndexOf(":");
  const [accessKeyId, signature] = [pair.slice(0, Math.max(colon, 0)), pair.slice(colon + 1)];
  if (accessKeyId === "" || signature === "") {
    throw new S3Error("InvalidArgument", {
      ArgumentName: "Authorization",
      ArgumentValue: authorization,
    }, { message: "AWS authorization header is invalid. Expected AwsAccessKeyId:signature" });
  }
  checkRequestTime(readRequestTime(headers).date, verifier.now, verifier.clockSkew);
  const date = headers.has("x-amz-date") ? "" : headers.get("date") ?? "";
  checkSignature(request, headers, date, accessKeyId, signature, verifier);
  return accessKeyId;
}

/**
 * Checks the signature in the query.
 *
 * @param headers Headers of the request, including those in its query.
 * @throws S3Error `AccessDenied`, `InvalidArgument`, `InvalidAccessKeyId`, `SignatureDoesNotMatch`
 */
export function verifySigV2Presigned(
  request: S3Request,
  headers: RequestHeaders,
  verifier: Verifier,
): string {
  const { query } = request;
  const { now } = verifier;
  const accessKeyId = query.get("AWSAccessKeyId");
  const signature = query.get("Signature");
  const expires = query.get("Expires");
  if (!accessKeyId || !signature || !expires) {
    throw new S3Error("AccessDenied", {}, {
      message:
        "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
    });
  }
  if (!/^\d{1,11}$/.test(expires)) {
    throw new S3Error("AccessDenied", {}, {
      message: `Invalid date (should be seconds since epoch): ${expires}`,
    });
  }
  const end = new Date(Number(expires) * 1000);
  if (now.getTime() > end.getTime()) {
    throw new S3Error("AccessDenied", {
      Expires: formatSeconds(end),
      ServerTime: formatSeconds(now),
    }, { message: "Request has expired" });
  }
  checkSignature(request, headers, expires, accessKeyId, signature, verifier);
  return accessKeyId;
}

/** Compares the signature with ours for each valid secret; an unknown access key takes the same path. */
function checkSignature(
  request: S3Request,
  headers: RequestHeaders,
  date: string,
  accessKeyId: string,
  signature: string,
  { credentials }: Verifier,
): void {
  const secrets = credentials.find(accessKeyId)?.secrets;
  const text = stringToSign(request, headers, date);
  // The resource of a bucket ends with a slash. boto3 signs it without sending it; other clients sign what they send.
  const { target, rawPath } = request;
  const texts = target.on === "bucket" && rawPath.length > 1 && !rawPath.endsWith("/")
    ? [text, stringToSign({ ...request, rawPath: `${rawPath}/` }, headers, date)]
    : [text];
  let matches = false;
  for (const secret of secrets ?? DUMMY_SECRETS) {
    for (const text of texts) if (isSameText(sign(secret, text), signature)) matches = true;
  }
  if (secrets === undefined) {
    throw new S3Error("InvalidAccessKeyId", { AWSAccessKeyId: accessKeyId });
  }
  if (!matches) throw signatureDoesNotMatch({ accessKeyId, signature, stringToSign: text });
}

/** Returns the base64 signature of a latin1 text. */
export function sign(secret: string, text: string): string {
  return createHmac("sha1", secret).update(text, "latin1").digest("base64");
}

/**
 * Returns the text to sign, as latin1.
 *
 * @param headers Headers of the request, including those in the query of a presigned URL.
 * @param date The `Date` header, empty if there is `x-amz-date`; for a presigned URL `Expires`.
 * @throws S3Error `InvalidArgument` for a sub-resource that is repeated, or whose name is encoded
 */
export function stringToSign(request: S3Request, headers: RequestHeaders, date: string): string {
  const amz = [...headers].filter(([name]) => name.startsWith("x-amz-"))
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, value]) => `${name}:${value}\n`);
  return [
    request.method,
    headers.get("content-md5") ?? "",
    headers.get("content-type") ?? "",
    date,
    amz.join("") + canonicalResource(request),
  ].join("\n");
}

/** Returns bucket and path as sent, and the sub-resources of the query with decoded values. */
function canonicalResource({ target, rawPath, rawQuery }: S3Request): string {
  // In virtual-host style the path holds only the key.
  const key = target.on === "object" ? target.key : "";
  const isVirtual = "bucket" in target && decodePercent(rawPath.slice(1)) === key;
  const path = (isVirtual ? `/${target.bucket}` : "") + rawPath;

  const parts = signedPairs(rawQuery)
    .map(([name, value]) => value === undefined ? name : `${name}=${value}`);
  const resource = path + (parts.length > 0 ? `?${parts.join("&")}` : "");
  return Buffer.from(resource).toString("latin1");
}

/** Returns the sub-resources of a query, sorted by name. */
function signedPairs(rawQuery: string): (readonly [name: string, value: string | undefined])[] {
  const pairs = new Map<string, string | undefined>();
  for (const { name, rawName, value } of parseQueryPairs(rawQuery)) {
    if (!SIGNED_QUERY.has(name)) continue;
    if (rawName !== name || pairs.has(name)) {
      throw new S3Error("InvalidArgument", { ArgumentName: name, ArgumentValue: value ?? "" }, {
        message: "A sub-resource may be given only once, and its name must not be encoded",
      });
    }
    pairs.set(name, value);
  }
  return [...pairs].sort(([a], [b]) => a < b ? -1 : 1);
}
