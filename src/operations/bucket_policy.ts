/**
 * GetBucketPolicy, PutBucketPolicy and DeleteBucketPolicy: who may use a bucket, and on which conditions.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
 *
 * A public policy is refused where a public access block is on that blocks it. A change succeeds when it is in force on every
 * gateway. The first policy of a bucket also waits for older gateways, which ignore policies, to leave the bucket alone.
 *
 * A policy is kept with the ids of the users whom it names, and shown with their ARNs.
 * @module
 */

import { Buffer } from "node:buffer";
import { bindPrincipals, showPrincipals } from "../iam/bound_principals.ts";
import { type CompiledPolicy, parsePolicy } from "../iam/policy.ts";
import { PolicyError } from "../iam/policy_error.ts";
import { isPublicPolicy } from "../iam/public_policy.ts";
import { S3Error } from "../s3/errors.ts";
import { isPublicRead, MAX_POLICY } from "../s3/policy.ts";
import { documentOperations } from "./bucket_document.ts";
import type { Operation } from "./operation.ts";

export const bucketPolicy: readonly Operation[] = documentOperations({
  kind: "policy",
  query: "policy",
  everywhere: true,
  get: {
    name: "GetBucketPolicy",
    action: "s3:GetBucketPolicy",
    missing: { error: "NoSuchBucketPolicy" },
    contentType: "application/json",
    show: async (text, { users }) => showPrincipals(text, users.current() ?? await users.read()),
  },
  put: {
    name: "PutBucketPolicy",
    action: "s3:PutBucketPolicy",
    maxBytes: 64 * 1024,
    status: 204,
    async validate(text, { target: { bucket }, access, hasPrincipal, store, users }) {
      if (Buffer.byteLength(text) > MAX_POLICY) {
        throw malformed("Policy exceeds the maximum allowed document size.");
      }
      let policy: CompiledPolicy;
      try {
        const options = { origin: "bucket policy", bucket };
        policy = parsePolicy(text, "bucket", { ...options, ...(hasPrincipal && { hasPrincipal }) });
      } catch (cause) {
        throw cause instanceof PolicyError ? malformed(cause.message, cause) : cause;
      }
      if (isPublicPolicy(policy) && await access.blocks("BlockPublicPolicy", bucket)) {
        throw new S3Error("AccessDenied");
      }
      await store.preparePolicy(bucket, isPublicRead(text, bucket));
      return bindPrincipals(text, users.current() ?? await users.read());
    },
  },
  delete: { name: "DeleteBucketPolicy", action: "s3:DeleteBucketPolicy" },
});

function malformed(message: string, cause?: unknown): S3Error {
  return new S3Error("MalformedPolicy", {}, { message, cause });
}
