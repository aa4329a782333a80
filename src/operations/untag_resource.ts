/**
 * UntagResource of S3 Control: removes tags of a bucket by their keys. Keys that it does not have are ignored.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_UntagResource.html
 * @module
 */

import { parseQueryPairs } from "../s3/request.ts";
import { TAGS_PATH } from "../s3/resource_arn.ts";
import { checkTagKeys } from "../s3/tags.ts";
import { changeBucketTags, onTaggedBucket } from "./bodies/tagged_bucket.ts";
import { defineOperation, type Operation } from "./operation.ts";

export const untagResource: Operation<"account"> = defineOperation<"account", readonly string[]>({
  name: "UntagResource",
  on: "account",
  method: "DELETE",
  path: TAGS_PATH,
  action: "s3:UntagResource",
  asksItself: true,

  parse({ rawQuery }) {
    const keys = parseQueryPairs(rawQuery)
      .filter(({ name }) => name === "tagKeys")
      .map(({ value = "" }) => value);
    checkTagKeys(keys);
    return keys;
  },

  async handle(call) {
    const removed = new Set(call.input);
    const permission = { action: "s3:UntagResource", facts: { tagKeys: call.input } } as const;
    await onTaggedBucket(call, permission, (bucket) =>
      changeBucketTags(
        call,
        bucket,
        (tags) => new Map([...tags].filter(([key]) => !removed.has(key))),
      ));
    return new Response(null, { status: 204 });
  },
});
