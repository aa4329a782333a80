/**
 * TagResource of S3 Control: adds tags to those of a bucket, and replaces those with the same keys.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html
 * @module
 */

import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import { TAGS_PATH } from "../s3/resource_arn.ts";
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

  parse: ({ headers }) => parseIntegrity(headers),

  async handle(call) {
    await onTaggedBucket(call, "s3:TagResource", async (bucket) => {
      const added = parseTagRequest(await readDocument(call, call.input, MAX_TAGS_BYTES));
      await changeBucketTags(call, bucket, (tags) => {
        const all = new Map([...tags, ...added]);
        checkTags(all, RESOURCE_TAGS);
        return all;
      });
    });
    return new Response(null, { status: 204 });
  },
});
