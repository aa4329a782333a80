/**
 * The hash of a document that a client must state, because the document protects data.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { Integrity } from "../../s3/integrity.ts";

/**
 * Checks that a request states a hash of its document.
 *
 * @throws S3Error `InvalidRequest`
 */
export function requireIntegrity({ md5, checksum }: Integrity): void {
  if (md5 !== undefined || checksum !== undefined) return;
  throw new S3Error("InvalidRequest", {}, {
    message: "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
  });
}
