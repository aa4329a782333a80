/**
 * GetPublicAccessBlock, PutPublicAccessBlock and DeletePublicAccessBlock of a bucket: what its policy may not give to
 * everybody.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
 * @module
 */

import { parsePublicAccessBlock } from "../s3/public_access_block.ts";
import { documentOperations } from "./bucket_document.ts";
import type { Operation } from "./operation.ts";

export const bucketPublicAccessBlock: readonly Operation[] = documentOperations({
  kind: "publicAccessBlock",
  query: "publicAccessBlock",
  get: {
    name: "GetPublicAccessBlock",
    action: "s3:GetBucketPublicAccessBlock",
    missing: { error: "NoSuchPublicAccessBlockConfiguration" },
  },
  put: {
    name: "PutPublicAccessBlock",
    action: "s3:PutBucketPublicAccessBlock",
    maxBytes: 64 * 1024,
    validate(text) {
      parsePublicAccessBlock(text);
      return text;
    },
  },
  delete: { name: "DeletePublicAccessBlock", action: "s3:PutBucketPublicAccessBlock" },
});
