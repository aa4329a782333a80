/**
 * AbortMultipartUpload: ends an upload and frees its parts.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
 * @module
 */

import { isSameSecond } from "../s3/conditions.ts";
import { S3Error } from "../s3/errors.ts";
import { parseUploadId, type UploadId } from "../s3/names.ts";
import { parseTime } from "../s3/protections.ts";
import { defineOperation, type Operation } from "./operation.ts";

/** A condition that AWS documents for directory buckets only. It can only protect an upload, so every bucket has it. */
const IF_MATCH_INITIATED = "x-amz-if-match-initiated-time";

type Input = { readonly uploadId: UploadId; readonly initiated: Date | undefined };

export const abortMultipartUpload: Operation<"object"> = defineOperation<"object", Input>({
  name: "AbortMultipartUpload",
  on: "object",
  method: "DELETE",
  query: ["uploadId"],
  action: "s3:AbortMultipartUpload",

  parse({ headers, query }) {
    const initiated = headers.get(IF_MATCH_INITIATED);
    return {
      uploadId: parseUploadId(query.get("uploadId")),
      initiated: initiated === null ? undefined : parseTime(IF_MATCH_INITIATED, initiated),
    };
  },

  async handle({ target: { bucket, key }, input: { uploadId, initiated }, store }) {
    if (initiated !== undefined) {
      // It never changes, so it need not be compared within the abort.
      const upload = await store.readUpload(bucket, key, uploadId);
      if (!isSameSecond(upload.initiated, initiated)) {
        throw new S3Error("PreconditionFailed", { Condition: IF_MATCH_INITIATED });
      }
    }
    await store.abortUpload(bucket, key, uploadId);
    return new Response(null, { status: 204 });
  },
});
