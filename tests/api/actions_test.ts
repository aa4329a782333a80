/**
 * Every operation needs an action that Amazon knows, on a resource of the kind that the action has.
 * See https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { requiredActions } from "../../src/access/required_actions.ts";
import type { Operation } from "../../src/operations/operation.ts";
import { CONTROL_OPERATIONS, OPERATIONS } from "../../src/operations/table.ts";
import { parseBucketName, parseObjectKey } from "../../src/s3/names.ts";
import { formatTargetArn } from "../../src/s3/permission.ts";
import type { Target } from "../../src/s3/request.ts";
import { readHeaders } from "../../src/s3/request_headers.ts";

/** Amazon's actions on objects; `Version` stands before the last word of those that have another name for versions. */
const ON_OBJECTS: ReadonlySet<string> = new Set(
  `AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectAnnotation DeleteObjectTagging
  DeleteObjectVersion DeleteObjectVersionTagging GetObject GetObjectAcl GetObjectAnnotation GetObjectAttributes
  GetObjectLegalHold GetObjectRetention GetObjectTagging GetObjectTorrent GetObjectVersion GetObjectVersionAcl
  GetObjectVersionAttributes GetObjectVersionTagging GetObjectVersionTorrent ListMultipartUploadParts
  ListObjectAnnotations PutObject PutObjectAcl PutObjectAnnotation PutObjectLegalHold PutObjectRetention
  PutObjectTagging PutObjectVersionAcl PutObjectVersionTagging RestoreObject UpdateObjectEncryption`
    .split(/\s+/).map((name) => `s3:${name}`),
);

/** Amazon's actions on buckets. */
const ON_BUCKETS: ReadonlySet<string> = new Set([
  ...`CreateBucket CreateBucketMetadataTableConfiguration DeleteBucket DeleteBucketMetadataTableConfiguration
  DeleteBucketPolicy DeleteBucketWebsite GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAbac GetBucketAcl
  GetBucketCORS GetBucketLocation GetBucketLogging GetBucketMetadataTableConfiguration GetBucketNotification
  GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus
  GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite
  GetEncryptionConfiguration GetIntelligentTieringConfiguration GetInventoryConfiguration GetLifecycleConfiguration
  GetMetricsConfiguration GetReplicationConfiguration ListBucket ListBucketMultipartUploads ListBucketVersions
  ListTagsForResource PutAccelerateConfiguration PutAnalyticsConfiguration PutBucketAbac PutBucketAcl PutBucketCORS
  PutBucketLogging PutBucketNotification PutBucketObjectLockConfiguration PutBucketOwnershipControls PutBucketPolicy
  PutBucketPublicAccessBlock PutBucketRequestPayment PutBucketTagging PutBucketVersioning PutBucketWebsite
  PutEncryptionConfiguration PutIntelligentTieringConfiguration PutInventoryConfiguration PutLifecycleConfiguration
  PutMetricsConfiguration PutReplicationConfiguration TagResource UntagResource
  UpdateBucketMetadataAnnotationTableConfiguration UpdateBucketMetadataInventoryTableConfiguration
  UpdateBucketMetadataJournalTableConfiguration`.split(/\s+/).map((name) => `s3:${name}`),
  "s3express:CreateSession",
]);

/** Amazon's actions without a resource. */
const ON_NOTHING: ReadonlySet<string> = new Set([
  "s3:GetAccountPublicAccessBlock",
  "s3:PutAccountPublicAccessBlock",
  "s3:ListAllMyBuckets",
  "s3-object-lambda:WriteGetObjectResponse",
]);

/** Operations on a bucket whose actions are on its objects, which the body of the request names. */
const NAMES_OBJECTS: ReadonlySet<string> = new Set(["DeleteObjects", "PostObject"]);

const BUCKET = parseBucketName("photos");
const TARGETS: Readonly<Record<Target["on"], Target>> = {
  service: { on: "service" },
  account: { on: "account", account: "111122223333", path: "tags/arn:aws:s3:::photos" },
  bucket: { on: "bucket", bucket: BUCKET },
  object: { on: "object", bucket: BUCKET, key: parseObjectKey("a b.jpg") },
};

/** Returns why an operation cannot be allowed or denied by a policy; undefined if it can. */
function problemOf(
  { name, on, action }: Pick<Operation, "name" | "on" | "action">,
): string | undefined {
  const resource = formatTargetArn(TARGETS[on]);
  if (ON_NOTHING.has(action)) return undefined;
  if (NAMES_OBJECTS.has(name)) {
    return ON_OBJECTS.has(action) ? undefined : `${action} is not on objects`;
  }
  if (ON_BUCKETS.has(action)) {
    return resource === "arn:aws:s3:::photos"
      ? undefined
      : `${action} has the resource ${resource}`;
  }
  if (!ON_OBJECTS.has(action)) return `Amazon does not know ${action}`;
  return resource === "arn:aws:s3:::photos/a b.jpg"
    ? undefined
    : `${action} has the resource ${resource}`;
}

Deno.test("every operation has an action that Amazon knows, and a resource of its kind", () => {
  const all = [...OPERATIONS, ...CONTROL_OPERATIONS];
  ok(all.length > 100);
  deepStrictEqual(
    all.flatMap((operation) => {
      const problem = problemOf(operation);
      return problem === undefined ? [] : [`${operation.name}: ${problem}`];
    }),
    [],
  );
});

Deno.test("problemOf() finds an unknown action and a wrong resource", () => {
  const name = "GetObject";
  strictEqual(problemOf({ name, on: "object", action: "s3:GetObject" }), undefined);
  strictEqual(
    problemOf({ name, on: "object", action: "s3:HeadObject" }),
    "Amazon does not know s3:HeadObject",
  );
  strictEqual(
    problemOf({ name, on: "bucket", action: "s3:GetObject" }),
    "s3:GetObject has the resource arn:aws:s3:::photos",
  );
  strictEqual(
    problemOf({ name, on: "object", action: "s3:ListBucket" }),
    "s3:ListBucket has the resource arn:aws:s3:::photos/a b.jpg",
  );
});

Deno.test("headers and versions ask for more actions", () => {
  const byName = new Map(OPERATIONS.map((operation) => [operation.name, operation]));
  const rows: readonly (readonly [
    name: string,
    query: string,
    headers: Readonly<Record<string, string>>,
    actions: string,
  ])[] = [
    ["GetObject", "", {}, "GetObject"],
    ["GetObject", "null", {}, "GetObjectVersion"],
    ["HeadObject", "", {}, "GetObject"],
    ["HeadObject", "null", {}, "GetObjectVersion"],
    ["GetObjectAttributes", "", {}, "GetObjectAttributes GetObject"],
    ["GetObjectAttributes", "null", {}, "GetObjectVersionAttributes GetObjectVersion"],
    ["GetObjectTagging", "null", {}, "GetObjectVersionTagging"],
    ["PutObjectTagging", "null", {}, "PutObjectVersionTagging"],
    ["DeleteObjectTagging", "null", {}, "DeleteObjectVersionTagging"],
    ["GetObjectAcl", "null", {}, "GetObjectVersionAcl"],
    ["PutObjectAcl", "null", {}, "PutObjectVersionAcl"],
    ["GetObjectRetention", "null", {}, "GetObjectRetention"],
    ["DeleteObject", "", {}, "DeleteObject"],
    ["DeleteObject", "null", {}, "DeleteObjectVersion"],
    ["DeleteObject", "", { "if-match": '"e"' }, "DeleteObject GetObject"],
    ["DeleteObject", "", { "if-match": "*" }, "DeleteObject"],
    [
      "DeleteObject",
      "",
      { "x-amz-bypass-governance-retention": "TRUE" },
      "DeleteObject BypassGovernanceRetention",
    ],
    ["PutObject", "", {}, "PutObject"],
    ["PutObject", "", { "if-none-match": "*" }, "PutObject"],
    ["PutObject", "", { "if-match": "e" }, "PutObject GetObject"],
    ["CopyObject", "", { "if-match": "e" }, "PutObject GetObject"],
    ["CompleteMultipartUpload", "", { "if-match": "e" }, "PutObject GetObject"],
    ["PutObject", "", { "x-amz-acl": "private" }, "PutObject PutObjectAcl"],
    ["CopyObject", "", { "x-amz-grant-read": "id=a" }, "PutObject PutObjectAcl"],
    [
      "CreateMultipartUpload",
      "",
      {
        "x-amz-acl": "private",
        "x-amz-object-lock-mode": "GOVERNANCE",
        "x-amz-object-lock-legal-hold": "ON",
      },
      "PutObject PutObjectAcl PutObjectRetention PutObjectLegalHold",
    ],
    [
      "PutObject",
      "",
      { "x-amz-object-lock-retain-until-date": "2030-01-01T00:00:00Z" },
      "PutObject PutObjectRetention",
    ],
    ["UploadPart", "", { "x-amz-acl": "private" }, "PutObject"],
    ["CreateBucket", "", {}, "CreateBucket"],
    ["CreateBucket", "", { "x-amz-acl": "private" }, "CreateBucket PutBucketAcl"],
    [
      "CreateBucket",
      "",
      { "x-amz-object-ownership": "ObjectWriter", "x-amz-bucket-object-lock-enabled": "true" },
      "CreateBucket PutBucketOwnershipControls PutBucketObjectLockConfiguration PutBucketVersioning",
    ],
    ["ListObjectVersions", "", {}, "ListBucketVersions"],
    ["ListMultipartUploads", "", {}, "ListBucketMultipartUploads"],
    ["ListParts", "", {}, "ListMultipartUploadParts"],
    ["HeadBucket", "", {}, "ListBucket"],
    ["ListBuckets", "", {}, "ListAllMyBuckets"],
  ];
  for (const [name, versionId, given, actions] of rows) {
    const operation = byName.get(name);
    ok(operation !== undefined, name);
    const query = new Map(versionId === "" ? [] : [["versionId", versionId]]);
    const headers = readHeaders(new Headers(given));
    deepStrictEqual(
      requiredActions(operation, { headers, query }),
      actions.split(" ").map((action) => `s3:${action}`),
      `${name} ${versionId} ${JSON.stringify(given)}`,
    );
  }
});
