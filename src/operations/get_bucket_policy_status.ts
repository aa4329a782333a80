/**
 * GetBucketPolicyStatus: whether the policy of a bucket lets everybody in.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html
 * @module
 */

import { parsePolicy } from "../iam/policy.ts";
import { isPublicPolicy } from "../iam/public_policy.ts";
import { S3Error } from "../s3/errors.ts";
import { xmlResponse } from "../s3/xml.ts";
import { defineOperation, type Operation } from "./operation.ts";

export const getBucketPolicyStatus: Operation<"bucket"> = defineOperation<"bucket", void>({
  name: "GetBucketPolicyStatus",
  on: "bucket",
  method: "GET",
  query: ["policyStatus"],
  action: "s3:GetBucketPolicyStatus",

  parse: () => {},

  async handle({ target: { bucket }, store }) {
    const text = await store.readDocument(bucket, "policy");
    if (text === undefined) throw new S3Error("NoSuchBucketPolicy", { BucketName: bucket });
    return xmlResponse("PolicyStatus", {
      IsPublic: isPublicPolicy(parsePolicy(text, "bucket", { origin: "bucket policy", bucket })),
    });
  },
});
