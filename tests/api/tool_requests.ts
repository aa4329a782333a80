/**
 * The requests that tools make of a bucket, in their order, and Amazon's answers for a bucket on which nothing was set.
 *
 * The lists are from the sources of the tools: `internal/service/s3` of Terraform's AWS provider 6, the module `s3_bucket`
 * of Ansible's collection amazon.aws, `AmazonS3Client` of the Java SDK 1, the customization `s3` of aws-cli 2,
 * `client-s3.go` of mc, `backend/s3` of rclone, and `bucket.rb` of the Ruby SDK. All begin without the bucket `tool`.
 * @module
 */

import { CONTROL_NAMESPACE } from "../../src/s3/control.ts";
import { formatPublicRead } from "../../src/s3/policy.ts";

/**
 * A request and its answer. `{UploadId}` and `{ETag}` stand for the text of such an element in an answer before, and
 * `{name}` for a version id that was kept under a name.
 */
export type Step = {
  readonly method: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly status: number;
  /** The code of an error, or the root element of a document; undefined for a response without a body. */
  readonly answer?: string;
  /** A text that the body contains. */
  readonly shows?: string;
  /** Headers that the answer has. */
  readonly has?: Readonly<Record<string, string>>;
  /** The name under which the answer's version id is kept. */
  readonly keeps?: string;
};

type More = Partial<Pick<Step, "headers" | "body" | "shows" | "has" | "keeps">>;

/** Returns a step. Its request is a method and a target with a space between. */
export function step(request: string, status: number, answer?: string, more: More = {}): Step {
  const [method = "", target = ""] = request.split(" ");
  return { method, target, status, ...(answer !== undefined && { answer }), ...more };
}

const ENFORCED = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership>" +
  "</Rule></OwnershipControls>";
const PRIVATE = { headers: { "x-amz-acl": "private" } };

const ACCOUNT_BLOCK = "/v20180820/configuration/publicAccessBlock";
const OF_ACCOUNT = { "x-amz-account-id": "111122223333" };
const PUBLIC_READ = formatPublicRead("tool");

/** A public access block, as Terraform sends it. */
function blockOf(namespace: string, value: boolean): string {
  const names = [
    "BlockPublicAcls",
    "BlockPublicPolicy",
    "IgnorePublicAcls",
    "RestrictPublicBuckets",
  ];
  const switches = names.map((name) => `<${name}>${value}</${name}>`).join("");
  const xmlns = namespace || "http://s3.amazonaws.com/doc/2006-03-01/";
  return `<PublicAccessBlockConfiguration xmlns="${xmlns}">${switches}</PublicAccessBlockConfiguration>`;
}

/** A document of DeleteObjects, as tools make it of ListObjectVersions. */
function deletion(...keys: readonly string[]): string {
  const objects = keys.map((key) =>
    `<Object><Key>${key}</Key><VersionId>null</VersionId></Object>`
  );
  return `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${objects.join("")}</Delete>`;
}

/** The reads of `aws_s3_bucket`, also when it is refreshed and imported. */
const TERRAFORM_READS: readonly Step[] = [
  step("HEAD /tool", 200),
  step("GET /tool?policy", 404, "NoSuchBucketPolicy"),
  step("GET /tool?acl", 200, "AccessControlPolicy", { shows: 'xsi:type="CanonicalUser"' }),
  step("GET /tool?cors", 404, "NoSuchCORSConfiguration"),
  step("GET /tool?website", 404, "NoSuchWebsiteConfiguration"),
  step("GET /tool?versioning", 200, "VersioningConfiguration"),
  step("GET /tool?accelerate", 200, "AccelerateConfiguration"),
  step("GET /tool?requestPayment", 200, "RequestPaymentConfiguration"),
  step("GET /tool?logging", 200, "BucketLoggingStatus"),
  step("GET /tool?lifecycle", 404, "NoSuchLifecycleConfiguration"),
  step("GET /tool?replication", 404, "ReplicationConfigurationNotFoundError"),
  step("GET /tool?encryption", 404, "ServerSideEncryptionConfigurationNotFoundError"),
  step("GET /tool?object-lock", 404, "ObjectLockConfigurationNotFoundError"),
  step("HEAD /tool", 200),
  step("GET /tool?tagging", 404, "NoSuchTagSet"),
];

export const TOOLS: Readonly<Record<string, readonly Step[]>> = {
  "Terraform's aws_s3_bucket with force_destroy, and aws_s3_object": [
    step("PUT /tool", 200),
    ...TERRAFORM_READS,
    step("PUT /tool/object?x-id=PutObject", 200, undefined, { body: "content" }),
    step("HEAD /tool/object", 200),
    step("GET /tool/object?tagging", 200, "Tagging"),
    ...TERRAFORM_READS,
    step("GET /tool?prefix=object&versions", 200, "ListVersionsResult", {
      shows: "<Key>object</Key><VersionId>null</VersionId><IsLatest>true</IsLatest>",
    }),
    step("DELETE /tool/object?versionId=null&x-id=DeleteObject", 204),
    step("PUT /tool/left", 200, undefined, { body: "content" }),
    step("DELETE /tool", 409, "BucketNotEmpty"),
    step("GET /tool?versions", 200, "ListVersionsResult", { shows: "<Key>left</Key>" }),
    step("POST /tool?delete", 200, "DeleteResult", { body: deletion("left") }),
    step("GET /tool?versions", 200, "ListVersionsResult"),
    step("DELETE /tool", 204),
    step("HEAD /tool", 404),
  ],
  "Terraform's aws_s3_bucket_* and their destruction": [
    step("PUT /tool", 200),
    // aws_s3_bucket_ownership_controls, which waits until it is there, and not after it was not found
    step("PUT /tool?ownershipControls", 200, undefined, { body: ENFORCED }),
    step("GET /tool?ownershipControls", 200, "OwnershipControls", { shows: "BucketOwnerEnforced" }),
    // aws_s3_bucket_acl
    step("PUT /tool?acl", 200, undefined, PRIVATE),
    step("GET /tool?acl", 200, "AccessControlPolicy", { shows: "FULL_CONTROL" }),
    // aws_s3_bucket_notification, which is destroyed by an empty configuration
    step("PUT /tool?notification", 200, undefined, {
      body: '<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>',
    }),
    step("GET /tool?notification", 200, "NotificationConfiguration"),
    // The others read what is not there, and destroy what somebody else has destroyed.
    step("GET /tool?publicAccessBlock", 404, "NoSuchPublicAccessBlockConfiguration"),
    step("GET /tool?policy", 404, "NoSuchBucketPolicy"),
    step("GET /tool?versioning", 200, "VersioningConfiguration"),
    step("GET /tool?lifecycle", 404, "NoSuchLifecycleConfiguration"),
    step("GET /tool?encryption", 404, "ServerSideEncryptionConfigurationNotFoundError"),
    step("GET /tool?replication", 404, "ReplicationConfigurationNotFoundError"),
    step("GET /tool?object-lock", 404, "ObjectLockConfigurationNotFoundError"),
    step(
      "GET /tool?analytics&id=a&x-id=GetBucketAnalyticsConfiguration",
      404,
      "NoSuchConfiguration",
    ),
    step("GET /tool?intelligent-tiering&id=a", 404, "NoSuchConfiguration"),
    step("GET /tool?inventory&id=a", 404, "NoSuchConfiguration"),
    step("GET /tool?metrics&id=a", 404, "NoSuchConfiguration"),
    step("DELETE /tool?publicAccessBlock", 204),
    step("DELETE /tool?policy", 204),
    step("DELETE /tool?lifecycle", 204),
    step("DELETE /tool?encryption", 204),
    step("DELETE /tool?replication", 204),
    step("DELETE /tool?cors", 204),
    step("DELETE /tool?website", 204, undefined),
    step("DELETE /tool?tagging", 204, undefined),
    step("DELETE /tool?analytics&id=a", 404, "NoSuchConfiguration"),
    step("DELETE /tool?intelligent-tiering&id=a", 404, "NoSuchConfiguration"),
    step("DELETE /tool?inventory&id=a", 404, "NoSuchConfiguration"),
    step("DELETE /tool?metrics&id=a", 404, "NoSuchConfiguration"),
    step("DELETE /tool?ownershipControls", 404, "OwnershipControlsNotFoundError"),
    step("PUT /tool?requestPayment", 200, undefined, {
      body: "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
    }),
    step("PUT /tool?accelerate", 200, undefined, {
      body: "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>",
    }),
    step("PUT /tool?logging", 200, undefined, { body: "<BucketLoggingStatus/>" }),
    step("DELETE /tool", 204),
  ],
  "Terraform's aws_s3_bucket_public_access_block and aws_s3_bucket_ownership_controls": [
    step("PUT /tool", 200),
    step("PUT /tool?publicAccessBlock", 200, undefined, { body: blockOf("", true) }),
    step("GET /tool?publicAccessBlock", 200, "PublicAccessBlockConfiguration", {
      shows: "<BlockPublicPolicy>true</BlockPublicPolicy>",
    }),
    step("PUT /tool?policy", 403, "AccessDenied", { body: PUBLIC_READ }),
    step("PUT /tool?publicAccessBlock", 200, undefined, { body: blockOf("", false) }),
    step("PUT /tool?policy", 204, undefined, { body: PUBLIC_READ }),
    step("GET /tool?policyStatus", 200, "PolicyStatus", { shows: "<IsPublic>true</IsPublic>" }),
    step("DELETE /tool?policy", 204),
    step("DELETE /tool?publicAccessBlock", 204),
    step("GET /tool?publicAccessBlock", 404, "NoSuchPublicAccessBlockConfiguration"),
    step("PUT /tool?ownershipControls", 200, undefined, { body: ENFORCED }),
    step("GET /tool?ownershipControls", 200, "OwnershipControls", { shows: "BucketOwnerEnforced" }),
    // Destroying it is a success for this error alone.
    step("DELETE /tool?ownershipControls", 404, "OwnershipControlsNotFoundError"),
    step("DELETE /tool", 204),
  ],
  "Terraform's aws_s3_account_public_access_block": [
    step("PUT /tool", 200),
    step(`GET ${ACCOUNT_BLOCK}`, 404, "ErrorResponse", { headers: OF_ACCOUNT }),
    step(`PUT ${ACCOUNT_BLOCK}`, 200, undefined, {
      headers: OF_ACCOUNT,
      body: blockOf(CONTROL_NAMESPACE, true),
    }),
    step(`GET ${ACCOUNT_BLOCK}`, 200, "PublicAccessBlockConfiguration", {
      headers: OF_ACCOUNT,
      shows: "<RestrictPublicBuckets>true</RestrictPublicBuckets>",
    }),
    step("GET /tool?publicAccessBlock", 404, "NoSuchPublicAccessBlockConfiguration"),
    step("PUT /tool?policy", 403, "AccessDenied", { body: PUBLIC_READ }),
    step(`DELETE ${ACCOUNT_BLOCK}`, 200, undefined, { headers: OF_ACCOUNT }),
    step(`DELETE ${ACCOUNT_BLOCK}`, 200, undefined, { headers: OF_ACCOUNT }),
    step(`GET ${ACCOUNT_BLOCK}`, 404, "ErrorResponse", {
      headers: OF_ACCOUNT,
      shows: "NoSuchPublicAccessBlockConfiguration",
    }),
    step("PUT /tool?policy", 204, undefined, { body: PUBLIC_READ }),
    step("DELETE /tool", 204),
  ],
  "Ansible's s3_bucket, present and then absent with force": [
    step("HEAD /tool", 404),
    step("PUT /tool", 200, undefined, {
      headers: { "x-amz-bucket-object-lock-enabled": "False" },
    }),
    step("HEAD /tool", 200),
    step("GET /tool?versioning", 200, "VersioningConfiguration"),
    step("GET /tool?requestPayment", 200, "RequestPaymentConfiguration"),
    step("GET /tool?publicAccessBlock", 404, "NoSuchPublicAccessBlockConfiguration"),
    step("GET /tool?policy", 404, "NoSuchBucketPolicy"),
    step("GET /tool?tagging", 404, "NoSuchTagSet"),
    step("GET /tool?encryption", 404, "ServerSideEncryptionConfigurationNotFoundError"),
    step("GET /tool?ownershipControls", 200, "OwnershipControls"),
    step("GET /tool?acl", 200, "AccessControlPolicy"),
    step("PUT /tool?acl", 200, undefined, PRIVATE),
    step("GET /tool?accelerate", 200, "AccelerateConfiguration"),
    step("GET /tool?object-lock", 404, "ObjectLockConfigurationNotFoundError"),
    step("GET /tool?inventory", 200, "ListInventoryConfigurationsResult"),
    step("PUT /tool/a", 200, undefined, { body: "a" }),
    step("GET /tool?versions&encoding-type=url", 200, "ListVersionsResult", {
      shows: "<Key>a</Key>",
    }),
    step("POST /tool?delete", 200, "DeleteResult", { body: deletion("a") }),
    step("DELETE /tool", 204),
    step("HEAD /tool", 404),
  ],
  "Java SDK 1: doesBucketExistV2, ACLs, configurations and versions": [
    step("GET /tool?acl", 404, "NoSuchBucket"),
    step("PUT /tool/", 200),
    step("GET /tool/?acl", 200, "AccessControlPolicy", { shows: 'xsi:type="CanonicalUser"' }),
    step("GET /tool/?location", 200, "LocationConstraint"),
    step("GET /tool/?versioning", 200, "VersioningConfiguration"),
    step("GET /tool/?lifecycle", 404, "NoSuchLifecycleConfiguration"),
    step("GET /tool/?policy", 404, "NoSuchBucketPolicy"),
    step("GET /tool/?policyStatus", 404, "NoSuchBucketPolicy"),
    step("GET /tool/?notification", 200, "NotificationConfiguration"),
    step("GET /tool/?requestPayment", 200, "RequestPaymentConfiguration"),
    step("GET /tool/?logging", 200, "BucketLoggingStatus"),
    step("GET /tool/?accelerate", 200, "AccelerateConfiguration"),
    step("GET /tool/?analytics", 200, "ListBucketAnalyticsConfigurationResult"),
    step("GET /tool/?metrics", 200, "ListMetricsConfigurationsResult"),
    step("GET /tool/?intelligent-tiering", 200, "ListBucketIntelligentTieringConfigurationsOutput"),
    step("PUT /tool/a", 200, undefined, { ...PRIVATE, body: "a" }),
    step("GET /tool/a?acl", 200, "AccessControlPolicy", { shows: 'xsi:type="CanonicalUser"' }),
    step("PUT /tool/a?acl", 200, undefined, PRIVATE),
    step("GET /tool/a?retention", 400, "InvalidRequest"),
    step("GET /tool/?versions&encoding-type=url", 200, "ListVersionsResult", {
      shows: "<Key>a</Key>",
    }),
    step("GET /tool/?versions&key-marker=a&version-id-marker=null", 200, "ListVersionsResult"),
    step("DELETE /tool/a?versionId=null", 204),
    step("DELETE /tool/", 204),
  ],
  "aws s3 cp of aws-cli 2 between buckets, small and in parts, and aws s3 rb --force": [
    step("PUT /tool", 200),
    step("PUT /tool/source", 200, undefined, { body: "content" }),
    step("HEAD /tool/source", 200),
    step("PUT /tool/small", 200, "CopyObjectResult", {
      headers: { "x-amz-copy-source": "tool/source" },
    }),
    // Above 8 MiB, it copies the tags by itself.
    step("HEAD /tool/source", 200),
    step("GET /tool/source?tagging", 200, "Tagging"),
    step("POST /tool/parts?uploads", 200, "InitiateMultipartUploadResult"),
    step("PUT /tool/parts?partNumber=1&uploadId={UploadId}", 200, "CopyPartResult", {
      headers: { "x-amz-copy-source": "tool/source", "x-amz-copy-source-range": "bytes=0-6" },
    }),
    step("POST /tool/parts?uploadId={UploadId}", 200, "CompleteMultipartUploadResult", {
      body: "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{ETag}</ETag></Part>" +
        "</CompleteMultipartUpload>",
    }),
    step("GET /tool?list-type=2&prefix=&encoding-type=url", 200, "ListBucketResult"),
    step("DELETE /tool/source", 204),
    step("DELETE /tool/small", 204),
    step("DELETE /tool/parts", 204),
    step("DELETE /tool", 204),
  ],
  "mc mb, stat, ls --versions, cp, rm --versions, rb, and its questions": [
    step("GET /tool/?location", 404, "NoSuchBucket"),
    step("HEAD /tool/", 404),
    step("PUT /tool/", 200),
    step("GET /tool/?location", 200, "LocationConstraint"),
    step("HEAD /tool/", 200),
    // mc stat
    step("GET /tool/?versioning=", 200, "VersioningConfiguration"),
    step("GET /tool/?object-lock=", 404, "ObjectLockConfigurationNotFoundError"),
    step("GET /tool/?replication=", 404, "ReplicationConfigurationNotFoundError"),
    step("GET /tool/?encryption=", 404, "ServerSideEncryptionConfigurationNotFoundError"),
    step("GET /tool/?policy=", 404, "NoSuchBucketPolicy"),
    step("GET /tool/?tagging=", 404, "NoSuchTagSet"),
    step("GET /tool/?lifecycle=", 404, "NoSuchLifecycleConfiguration"),
    step("GET /tool/?notification=", 200, "NotificationConfiguration"),
    // mc cp, mc cors, mc tag, mc retention, mc legalhold
    step("PUT /tool/a", 200, undefined, { body: "a" }),
    step("HEAD /tool/a", 200),
    step("GET /tool/?cors=", 404, "NoSuchCORSConfiguration"),
    step("GET /tool/a?tagging=", 200, "Tagging"),
    step("GET /tool/a?retention=", 400, "InvalidRequest"),
    step("GET /tool/a?legal-hold=", 400, "InvalidRequest"),
    // mc ls --versions, mc rm --versions
    step(
      "GET /tool/?delimiter=%2F&encoding-type=url&max-keys=1000&prefix=&versions=",
      200,
      "ListVersionsResult",
      {
        shows: "<VersionId>null</VersionId>",
      },
    ),
    step("POST /tool/?delete=", 200, "DeleteResult", { body: deletion("a") }),
    step("DELETE /tool/", 204),
  ],
  "rclone purge and the Ruby SDK's Bucket#clear!": [
    step("PUT /tool", 200),
    step("PUT /tool/a", 200, undefined, { body: "a" }),
    step("GET /tool?versioning", 200, "VersioningConfiguration"),
    step("GET /tool?encoding-type=url&versions", 200, "ListVersionsResult", {
      shows: "<VersionId>null</VersionId>",
    }),
    step("POST /tool?delete", 200, "DeleteResult", { body: deletion("a") }),
    step("DELETE /tool", 204),
  ],
};
