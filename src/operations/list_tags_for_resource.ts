/**
 * ListTagsForResource of S3 Control: returns the tags of a bucket, also of one that has none.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListTagsForResource.html
 * @module
 */

import { CONTROL_NAMESPACE } from "../s3/control.ts";
import { TAGS_PATH } from "../s3/resource_arn.ts";
import { tagElements } from "../s3/tags.ts";
import { xmlResponse } from "../s3/xml.ts";
import { onTaggedBucket, readBucketTags } from "./bodies/tagged_bucket.ts";
import { defineOperation, type Operation } from "./operation.ts";

export const listTagsForResource: Operation<"account"> = defineOperation<"account", void>({
  name: "ListTagsForResource",
  on: "account",
  method: "GET",
  path: TAGS_PATH,
  action: "s3:ListTagsForResource",
  asksItself: true,

  parse: () => {},

  async handle(call) {
    const tags = await onTaggedBucket(
      call,
      { action: "s3:ListTagsForResource" },
      (bucket) => readBucketTags(call, bucket),
    );
    return xmlResponse(
      "ListTagsForResourceResult",
      { Tags: tagElements(tags) },
      {},
      CONTROL_NAMESPACE,
    );
  },
});
