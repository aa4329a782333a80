/**
 * GetBucketCors, PutBucketCors and DeleteBucketCors: which pages of other origins may use a bucket.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html
 * @module
 */

import { parseCors } from "../s3/cors.ts";
import { documentOperations } from "./bucket_document.ts";
import type { Operation } from "./operation.ts";

export const bucketCors: readonly Operation[] = documentOperations({
  kind: "cors",
  query: "cors",
  get: {
    name: "GetBucketCors",
    action: "s3:GetBucketCORS",
    missing: { error: "NoSuchCORSConfiguration" },
  },
  put: {
    name: "PutBucketCors",
    action: "s3:PutBucketCORS",
    maxBytes: 64 * 1024, // as on AWS
    validate(text) {
      parseCors(text); // it throws what AWS answers
      return text;
    },
  },
  delete: { name: "DeleteBucketCors", action: "s3:PutBucketCORS" },
});
