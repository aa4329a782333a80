/**
 * GetBucketPolicy, PutBucketPolicy and DeleteBucketPolicy: who may use a bucket without being a user of the gateway.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
 *
 * Only the policy that lets everybody read all objects is accepted, because it is the only one that is enforced.
 * @module
 */

import { Buffer } from "node:buffer";
import { S3Error } from "../s3/errors.ts";
import { MAX_POLICY, parsePolicy } from "../s3/policy.ts";
import { documentOperations } from "./bucket_document.ts";
import type { Operation } from "./operation.ts";

export const bucketPolicy: readonly Operation[] = documentOperations({
  kind: "policy",
  query: "policy",
  get: {
    name: "GetBucketPolicy",
    action: "s3:GetBucketPolicy",
    missing: { error: "NoSuchBucketPolicy" },
    contentType: "application/json",
  },
  put: {
    name: "PutBucketPolicy",
    action: "s3:PutBucketPolicy",
    maxBytes: 64 * 1024,
    status: 204,
    validate(text, { target: { bucket } }) {
      if (Buffer.byteLength(text) > MAX_POLICY) {
        throw new S3Error("MalformedPolicy", {}, {
          message: "Policy exceeds the maximum allowed document size.",
        });
      }
      const policy = parsePolicy(text);
      if (policy.kind === "other") {
        throw new S3Error("NotImplemented", {}, {
          message: "The only bucket policy that is implemented lets everybody read all objects: " +
            `Principal "*", Action "s3:GetObject", Resource "arn:aws:s3:::${bucket}/*"`,
        });
      }
      if (policy.bucket !== bucket) {
        throw new S3Error("MalformedPolicy", {}, { message: "Policy has invalid resource" });
      }
      return text;
    },
  },
  delete: { name: "DeleteBucketPolicy", action: "s3:DeleteBucketPolicy" },
});
