/**
 * The hash of a document that a client must state, because the document protects or deletes data.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import { type Integrity, parseIntegrity } from "../../s3/integrity.ts";
import type { RequestHeaders } from "../../s3/request_headers.ts";

/**
 * Parses the hashes that a request states, of which there must be one.
 *
 * @throws S3Error `InvalidRequest` if there is none, and the errors of {@linkcode parseIntegrity}
 */
export function parseRequiredIntegrity(headers: RequestHeaders): Integrity {
  const integrity = parseIntegrity(headers);
  if (integrity.md5 !== undefined || integrity.checksum !== undefined) return integrity;
  throw new S3Error("InvalidRequest", {}, {
    message: "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
  });
}
