/**
 * The list of signed headers, as an Authorization header or a presigned URL states it.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 * @module
 */

import { AS_OF } from "../s3/as_of.ts";
import { S3Error } from "../s3/errors.ts";
import type { RequestHeaders } from "../s3/request_headers.ts";
import type { Complaint } from "./credential_scope.ts";

/** Most names: the server accepts fewer headers. */
const MAX_NAMES = 256;

/** Splits `host;range;x-amz-date`, in which each name appears once. */
export function parseSignedHeaders(text: string, complain: Complaint): readonly string[] {
  const names = text.toLowerCase().split(";", MAX_NAMES + 1);
  if (names.length > MAX_NAMES) {
    throw complain(`SignedHeaders names more than ${MAX_NAMES} headers.`);
  }
  if (!names.every((name) => /^[!#$%&'*+\-.^_`|~\w]+$/.test(name))) {
    throw complain("SignedHeaders is not a list of header names separated by semicolons.");
  }
  if (new Set(names).size < names.length) {
    throw complain("SignedHeaders names a header more than once.");
  }
  return names;
}

/**
 * Checks that every header that matters is signed.
 *
 * @throws S3Error `AccessDenied`
 */
export function checkSignedHeaders(signed: readonly string[], headers: RequestHeaders): void {
  const names = new Set(signed);
  const unsigned = names.has("host") ? [] : ["host"];
  for (const name of headers.keys()) {
    const matters = name.startsWith("x-amz-") || name === AS_OF;
    if (matters && !names.has(name)) unsigned.push(name);
  }
  if (unsigned.length === 0) return;
  throw new S3Error("AccessDenied", { HeadersNotSigned: unsigned.join(", ") }, {
    message: "There were headers present in the request which were not signed",
  });
}
