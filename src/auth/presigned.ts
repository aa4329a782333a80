/**
 * AWS Signature Version 4, in the query of a presigned URL.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 *
 * The payload is unsigned unless the request has `x-amz-content-sha256` as a header (which must be signed, like every
 * `x-amz-*` header) or as a query parameter.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import type { Query, S3Request } from "../s3/request.ts";
import { formatSeconds, parseAmzDate } from "./request_time.ts";
import { type Complaint, type Credential, parseCredential } from "./credential_scope.ts";
import { ALGORITHM, checkSignature, type ChunkSigning, type Verifier } from "./sigv4.ts";
import { checkSignedHeaders, parseSignedHeaders } from "./signed_headers.ts";

/** Maximum lifetime of a URL, in seconds: a week. */
const MAX_EXPIRES = 604_800;

/** Returns whether the query has a parameter that only this form has. */
export function isPresigned(query: Query): boolean {
  return query.has("X-Amz-Algorithm") || query.has("X-Amz-Signature") ||
    query.has("X-Amz-Credential");
}

/**
 * Checks the signature in the query.
 *
 * @throws S3Error `AuthorizationQueryParametersError`, `AccessDenied`, `InvalidAccessKeyId`, `SignatureDoesNotMatch`
 */
export function verifyPresigned(
  request: S3Request,
  verifier: Verifier,
): Credential & { payloadHash: string; signing: ChunkSigning } {
  const { query, headers } = request;
  const { credential, timestamp, expires, signed, signature } = readParameters(query);
  const date = parseAmzDate(timestamp);
  if (date === undefined) {
    throw malformed(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`);
  }
  const seconds = parseExpires(expires);
  const { accessKeyId, region } = parseCredential(
    credential,
    date,
    verifier,
    credentialMalformed,
    verifier.other?.service,
  );
  const signedHeaders = parseSignedHeaders(signed, malformed);
  checkSignedHeaders(signedHeaders, headers);
  checkLife(date, seconds, verifier);

  const payloadHash = verifier.other?.payloadHash ?? headers.get("x-amz-content-sha256") ??
    query.get("X-Amz-Content-Sha256") ?? "UNSIGNED-PAYLOAD";
  const claim = { accessKeyId, region, timestamp, signedHeaders, signature };
  return {
    accessKeyId,
    region,
    payloadHash,
    signing: checkSignature(request, claim, "X-Amz-Signature", payloadHash, verifier),
  };
}

function readParameters(query: Query): Record<
  "credential" | "timestamp" | "expires" | "signed" | "signature",
  string
> {
  const algorithm = query.get("X-Amz-Algorithm");
  if (algorithm !== undefined && algorithm !== ALGORITHM) {
    throw malformed(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  }
  const credential = query.get("X-Amz-Credential");
  const timestamp = query.get("X-Amz-Date");
  const expires = query.get("X-Amz-Expires");
  const signed = query.get("X-Amz-SignedHeaders");
  const signature = query.get("X-Amz-Signature");
  if (!algorithm || !credential || !timestamp || !expires || !signed || !signature) {
    throw malformed(
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, " +
        "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  }
  return { credential, timestamp, expires, signed, signature };
}

function parseExpires(text: string): number {
  if (!/^-?\d+$/.test(text)) throw malformed("X-Amz-Expires should be a number");
  const seconds = Number(text);
  if (seconds < 0) throw malformed("X-Amz-Expires must be non-negative");
  if (seconds === 0) throw malformed("X-Amz-Expires must be at least 1 second");
  if (seconds > MAX_EXPIRES) {
    throw malformed(
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than " +
        `${MAX_EXPIRES} seconds`,
    );
  }
  return seconds;
}

function checkLife(date: Date, seconds: number, { now, clockSkew }: Verifier): void {
  if (date.getTime() > now.getTime() + clockSkew) {
    throw new S3Error("AccessDenied", {
      "X-Amz-Date": formatSeconds(date),
      ServerTime: formatSeconds(now),
    }, { message: "Request is not yet valid" });
  }
  const end = new Date(date.getTime() + seconds * 1000);
  if (now.getTime() > end.getTime()) {
    throw new S3Error("AccessDenied", {
      "X-Amz-Expires": seconds,
      Expires: formatSeconds(end),
      ServerTime: formatSeconds(now),
    }, { message: "Request has expired" });
  }
}

const malformed: Complaint = (reason, fields) =>
  new S3Error("AuthorizationQueryParametersError", fields, { message: reason });

const credentialMalformed: Complaint = (reason, fields) =>
  malformed(`Error parsing the X-Amz-Credential parameter; ${reason}`, fields);
