/**
 * TagResource of S3 Control: adds tags to those of a bucket, and replaces those with the same keys.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html
 * @module
 */

import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import { parseTaggedBucket, TAGS_PATH } from "../s3/resource_arn.ts";
import { checkTags, MAX_TAGS_BYTES, parseTagRequest, RESOURCE_TAGS } from "../s3/tags.ts";
import { readDocument } from "./bodies/document.ts";
import { changeBucketTags, onTaggedBucket } from "./bodies/tagged_bucket.ts";
import { defineOperation, type Operation } from "./operation.ts";

export const tagResource: Operation<"account"> = defineOperation<"account", Integrity>({
  name: "TagResource",
  on: "account",
  method: "POST",
  path: TAGS_PATH,
  action: "s3:TagResource",
  asksItself: true,

  parse: ({ headers }) => parseIntegrity(headers),

  async handle(call) {
    parseTaggedBucket(call.target.path, call.target.account); // before the body takes memory
    const added = parseTagRequest(await readDocument(call, call.input, MAX_TAGS_BYTES));
    const permission = { action: "s3:TagResource", facts: { bucketTags: added } } as const;
    await onTaggedBucket(call, permission, async (bucket) => {
      await changeBucketTags(call, bucket, (tags) => {
        const all = new Map([...tags, ...added]);
        checkTags(all, RESOURCE_TAGS);
        return all;
      });
    });
    return new Response(null, { status: 204 });
  },
});
