/**
 * Operations that are not implemented: the gateway refuses each by name and does nothing else.
 * @module
 */

import { type Checks, shows } from "../check.ts";

/** Commands, without `--bucket`, by the operation that they request. */
const ON_BUCKET: Readonly<Record<string, readonly string[]>> = {
  DeleteBucketEncryption: ["delete-bucket-encryption"],
  DeleteBucketLifecycle: ["delete-bucket-lifecycle"],
  DeleteBucketOwnershipControls: ["delete-bucket-ownership-controls"],
  DeleteBucketPolicy: ["delete-bucket-policy"],
  DeleteBucketReplication: ["delete-bucket-replication"],
  DeleteBucketWebsite: ["delete-bucket-website"],
  DeletePublicAccessBlock: ["delete-public-access-block"],
  GetBucketAccelerateConfiguration: ["get-bucket-accelerate-configuration"],
  GetBucketAcl: ["get-bucket-acl"],
  GetBucketEncryption: ["get-bucket-encryption"],
  GetBucketLifecycleConfiguration: ["get-bucket-lifecycle-configuration"],
  GetBucketLogging: ["get-bucket-logging"],
  GetBucketNotificationConfiguration: ["get-bucket-notification-configuration"],
  GetBucketOwnershipControls: ["get-bucket-ownership-controls"],
  GetBucketPolicy: ["get-bucket-policy"],
  GetBucketPolicyStatus: ["get-bucket-policy-status"],
  GetBucketReplication: ["get-bucket-replication"],
  GetBucketRequestPayment: ["get-bucket-request-payment"],
  GetBucketVersioning: ["get-bucket-versioning"],
  GetBucketWebsite: ["get-bucket-website"],
  GetObjectLockConfiguration: ["get-object-lock-configuration"],
  GetPublicAccessBlock: ["get-public-access-block"],
  ListBucketAnalyticsConfigurations: ["list-bucket-analytics-configurations"],
  ListBucketInventoryConfigurations: ["list-bucket-inventory-configurations"],
  ListBucketMetricsConfigurations: ["list-bucket-metrics-configurations"],
  PutBucketAcl: ["put-bucket-acl", "--acl", "private"],
  PutBucketEncryption: [
    "put-bucket-encryption",
    "--server-side-encryption-configuration",
    '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}',
  ],
  PutBucketLifecycleConfiguration: [
    "put-bucket-lifecycle-configuration",
    "--lifecycle-configuration",
    '{"Rules":[{"Status":"Enabled","Prefix":"","Expiration":{"Days":1}}]}',
  ],
  PutBucketNotificationConfiguration: [
    "put-bucket-notification-configuration",
    "--notification-configuration",
    "{}",
  ],
  PutBucketPolicy: ["put-bucket-policy", "--policy", "{}"],
  PutBucketVersioning: [
    "put-bucket-versioning",
    "--versioning-configuration",
    "Status=Enabled",
  ],
  PutObjectLockConfiguration: [
    "put-object-lock-configuration",
    "--object-lock-configuration",
    "ObjectLockEnabled=Enabled",
  ],
  PutPublicAccessBlock: [
    "put-public-access-block",
    "--public-access-block-configuration",
    "BlockPublicAcls=true",
  ],
};

/** Commands, without `--bucket` and `--key`. */
const ON_OBJECT: Readonly<Record<string, readonly string[]>> = {
  GetObjectAcl: ["get-object-acl"],
  GetObjectLegalHold: ["get-object-legal-hold"],
  GetObjectRetention: ["get-object-retention"],
  GetObjectTorrent: ["get-object-torrent", "out"],
  PutObjectAcl: ["put-object-acl", "--acl", "private"],
  PutObjectLegalHold: ["put-object-legal-hold", "--legal-hold", "Status=ON"],
  PutObjectRetention: [
    "put-object-retention",
    "--retention",
    "Mode=GOVERNANCE,RetainUntilDate=2999-01-01",
  ],
  RestoreObject: ["restore-object", "--restore-request", "Days=1"],
  SelectObjectContent: [
    "select-object-content",
    "--expression",
    "select * from s3object",
    "--expression-type",
    "SQL",
    "--input-serialization",
    "CSV={}",
    "--output-serialization",
    "CSV={}",
    "out",
  ],
};

/** Checks by operation. */
export const NOT_IMPLEMENTED: Checks = Object.fromEntries(
  [...Object.entries(ON_BUCKET), ...Object.entries(ON_OBJECT)].map(([operation, words]) => [
    operation,
    async ({ aws, put, refused }) => {
      await put("a");
      const [command = "", ...args] = words;
      const key = operation in ON_OBJECT ? ["--key", "a"] : [];
      await refused("NotImplemented", 501)`s3api ${command} --bucket BUCKET ${[...key, ...args]}`;
      // The command deleted, replaced and created nothing.
      shows((await aws`s3api list-objects-v2 --bucket BUCKET`).json, { Contents: [{ Key: "a" }] });
    },
  ]),
);
