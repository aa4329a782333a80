/**
 * GetBucketWebsite, PutBucketWebsite and DeleteBucketWebsite: how a bucket is served as a web site.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html
 * @module
 */

import { parseWebsite } from "../s3/website.ts";
import { documentOperations } from "./bucket_document.ts";
import type { Operation } from "./operation.ts";

export const bucketWebsite: readonly Operation[] = documentOperations({
  kind: "website",
  query: "website",
  get: {
    name: "GetBucketWebsite",
    action: "s3:GetBucketWebsite",
    missing: { error: "NoSuchWebsiteConfiguration" },
  },
  put: {
    name: "PutBucketWebsite",
    action: "s3:PutBucketWebsite",
    maxBytes: 128 * 1024, // as on AWS
    validate(text) {
      parseWebsite(text); // it throws what AWS answers
      return text;
    },
  },
  delete: { name: "DeleteBucketWebsite", action: "s3:DeleteBucketWebsite" },
});
