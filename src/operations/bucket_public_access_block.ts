/**
 * GetPublicAccessBlock, PutPublicAccessBlock and DeletePublicAccessBlock of a bucket: what its policy may not give to
 * everybody.
 *
 * A change succeeds when it is in force on every gateway. The first one of a bucket also waits for older gateways, which
 * ignore blocks, to leave the bucket alone.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
 * @module
 */

import { parsePublicAccessBlock } from "../s3/public_access_block.ts";
import { documentOperations } from "./bucket_document.ts";
import type { Operation } from "./operation.ts";

export const bucketPublicAccessBlock: readonly Operation[] = documentOperations({
  kind: "publicAccessBlock",
  query: "publicAccessBlock",
  everywhere: true,
  get: {
    name: "GetPublicAccessBlock",
    action: "s3:GetBucketPublicAccessBlock",
    missing: { error: "NoSuchPublicAccessBlockConfiguration" },
  },
  put: {
    name: "PutPublicAccessBlock",
    action: "s3:PutBucketPublicAccessBlock",
    maxBytes: 64 * 1024,
    async validate(text, { target: { bucket }, store }) {
      parsePublicAccessBlock(text);
      await store.preparePolicy(bucket, false);
      return text;
    },
  },
  delete: { name: "DeletePublicAccessBlock", action: "s3:PutBucketPublicAccessBlock" },
});
