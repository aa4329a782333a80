/**
 * The actions of S3, and what each is about.
 * See https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 * @module
 */

/** What an action is about. Those about the account have no place in a bucket policy. */
export type ActionResource = "account" | "bucket" | "object";

const ON_BUCKETS = [
  ...["CreateBucket", "DeleteBucket", "DeleteBucketPolicy", "DeleteBucketWebsite"],
  ...["GetAccelerateConfiguration", "GetAnalyticsConfiguration", "GetBucketAbac", "GetBucketAcl"],
  ...[
    "GetBucketCORS",
    "GetBucketLocation",
    "GetBucketLogging",
    "GetBucketMetadataTableConfiguration",
  ],
  ...["GetBucketNotification", "GetBucketObjectLockConfiguration", "GetBucketOwnershipControls"],
  ...["GetBucketPolicy", "GetBucketPolicyStatus", "GetBucketPublicAccessBlock"],
  ...["GetBucketRequestPayment", "GetBucketTagging", "GetBucketVersioning", "GetBucketWebsite"],
  ...["GetEncryptionConfiguration", "GetIntelligentTieringConfiguration"],
  ...["GetInventoryConfiguration", "GetLifecycleConfiguration", "GetMetricsConfiguration"],
  ...["GetReplicationConfiguration", "ListBucket", "ListBucketMultipartUploads"],
  ...["ListBucketVersions", "PutAccelerateConfiguration", "PutAnalyticsConfiguration"],
  ...[
    "PutBucketAbac",
    "PutBucketAcl",
    "PutBucketCORS",
    "PutBucketLogging",
    "PutBucketNotification",
  ],
  ...["PutBucketObjectLockConfiguration", "PutBucketOwnershipControls", "PutBucketPolicy"],
  ...["PutBucketPublicAccessBlock", "PutBucketRequestPayment", "PutBucketTagging"],
  ...["PutBucketVersioning", "PutBucketWebsite", "PutEncryptionConfiguration"],
  ...["PutIntelligentTieringConfiguration", "PutInventoryConfiguration"],
  ...["PutLifecycleConfiguration", "PutMetricsConfiguration", "PutReplicationConfiguration"],
  ...["CreateBucketMetadataTableConfiguration", "DeleteBucketMetadataTableConfiguration"],
  ...["UpdateBucketMetadataInventoryTableConfiguration"],
  ...["UpdateBucketMetadataJournalTableConfiguration", "ListTagsForResource", "TagResource"],
  ...["UntagResource"],
] as const;

const ON_OBJECTS = [
  ...["AbortMultipartUpload", "BypassGovernanceRetention", "DeleteObject", "DeleteObjectTagging"],
  ...["DeleteObjectVersion", "DeleteObjectVersionTagging", "GetObject", "GetObjectAcl"],
  ...["GetObjectAttributes", "GetObjectLegalHold", "GetObjectRetention", "GetObjectTagging"],
  ...["GetObjectTorrent", "GetObjectVersion", "GetObjectVersionAcl", "GetObjectVersionAttributes"],
  ...["GetObjectVersionForReplication", "GetObjectVersionTagging", "GetObjectVersionTorrent"],
  ...["ListMultipartUploadParts", "ObjectOwnerOverrideToBucketOwner", "PutObject", "PutObjectAcl"],
  ...["PutObjectLegalHold", "PutObjectRetention", "PutObjectTagging", "PutObjectVersionAcl"],
  ...["PutObjectVersionTagging", "ReplicateDelete", "ReplicateObject", "ReplicateTags"],
  ...["RestoreObject", "InitiateReplication"],
] as const;

const ON_ACCOUNTS = [
  ...["GetAccountPublicAccessBlock", "ListAllMyBuckets", "PutAccountPublicAccessBlock"],
] as const;

const ROWS: readonly (readonly [ActionResource, readonly string[]])[] = [
  ["bucket", ON_BUCKETS],
  ["object", ON_OBJECTS],
  ["account", ON_ACCOUNTS],
];

/** The actions as they are spelled, each with what it is about. */
export const S3_ACTIONS: ReadonlyMap<string, ActionResource> = new Map(
  ROWS.flatMap(([resource, names]) => names.map((name) => [`s3:${name}`, resource] as const)),
);
