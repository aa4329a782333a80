/**
 * GetBucketTagging, PutBucketTagging and DeleteBucketTagging: the tags of a bucket.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html
 *
 * An empty set of tags is none, as on AWS.
 * @module
 */

import { BUCKET_TAGS, MAX_TAGS_BYTES, parseTagSet } from "../s3/tags.ts";
import { documentOperations } from "./bucket_document.ts";
import type { Operation } from "./operation.ts";

export const bucketTagging: readonly Operation[] = documentOperations({
  kind: "tagging",
  query: "tagging",
  get: {
    name: "GetBucketTagging",
    action: "s3:GetBucketTagging",
    missing: { error: "NoSuchTagSet" },
  },
  put: {
    name: "PutBucketTagging",
    action: "s3:PutBucketTagging",
    maxBytes: MAX_TAGS_BYTES,
    status: 204,
    validate: (text) => parseTagSet(text, BUCKET_TAGS).size === 0 ? undefined : text,
  },
  delete: { name: "DeleteBucketTagging", action: "s3:PutBucketTagging" },
});
