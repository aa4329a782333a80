/**
 * AbortMultipartUpload: ends an upload and frees its parts.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
 * @module
 */

import { notImplemented } from "../s3/metadata.ts";
import { parseUploadId, type UploadId } from "../s3/names.ts";
import { defineOperation, type Operation } from "./operation.ts";

export const abortMultipartUpload: Operation<"object"> = defineOperation<"object", UploadId>({
  name: "AbortMultipartUpload",
  on: "object",
  method: "DELETE",
  query: ["uploadId"],
  action: "s3:AbortMultipartUpload",

  parse({ headers, query }) {
    // A condition that AWS has for directory buckets only.
    const condition = "x-amz-if-match-initiated-time";
    if (headers.has(condition)) throw notImplemented(condition);
    return parseUploadId(query.get("uploadId"));
  },

  async handle({ target: { bucket, key }, input, store }) {
    await store.abortUpload(bucket, key, input);
    return new Response(null, { status: 204 });
  },
});
