/**
 * The requests of Veeam Backup & Replication for an immutable repository, as `tool_requests.ts` has those of others.
 *
 * Veeam publishes no list of them. These follow its public documents: the actions of "How to Create IAM Policy"
 * (veeam.com/kb3151); "Considerations and Limitations" of immutability, by which the bucket has object lock without a
 * default retention, and each object is written with COMPLIANCE; "Block Generation", by which retention is extended;
 * and "Working with Veeam Smart Object Storage API", whose documents are optional (all on helpcenter.veeam.com).
 * @module
 */

import { NOW } from "./test_gateway.ts";
import { type Step, step } from "./tool_requests.ts";
import { element, xml } from "./xml_text.ts";

const LOCKED = { "x-amz-bucket-object-lock-enabled": "true" };

/** Returns the time this many days after the gateway's, in whole seconds. */
function inDays(days: number): string {
  return `${new Date(NOW.getTime() + days * 86_400_000).toISOString().slice(0, 19)}Z`;
}

/** Returns the headers of an object that nobody removes for some days. */
function kept(days: number): Readonly<Record<string, string>> {
  return {
    "x-amz-object-lock-mode": "COMPLIANCE",
    "x-amz-object-lock-retain-until-date": inDays(days),
  };
}

function retained(days: number): string {
  return xml("Retention", element("Mode", "COMPLIANCE"), element("RetainUntilDate", inDays(days)));
}

const SOSAPI = "/tool/.system-d26a9498-cb7c-4a87-a44a-8ae204f5ba6c";
const FOLDER = "/tool/Veeam/Backup/repository";
const BLOCK = `${FOLDER}/Clients/client/blocks/1.blk`;
const LIST = "GET /tool?versions&prefix=Veeam%2FBackup%2Frepository%2F&encoding-type=url";
const QUIET = element("Quiet", "false");

function erase(...ids: readonly string[]): string {
  const objects = ids.map((id) =>
    element(
      "Object",
      element("Key", BLOCK.slice("/tool/".length)),
      element("VersionId", id),
    )
  );
  return xml("Delete", QUIET, ...objects);
}

/** The requests, which begin without the bucket `tool`. */
export const VEEAM: readonly Step[] = [
  step("PUT /tool", 200, undefined, { headers: LOCKED }),
  // A repository is added: the bucket is chosen from a list, and its settings are looked at.
  step("GET /", 200, "ListAllMyBucketsResult", { shows: "<Name>tool</Name>" }),
  step("HEAD /tool", 200),
  step("GET /tool?location", 200, "LocationConstraint"),
  step("GET /tool?versioning", 200, "VersioningConfiguration", {
    shows: "<Status>Enabled</Status>",
  }),
  step("GET /tool?object-lock", 200, "ObjectLockConfiguration", {
    shows: "<ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
  }),
  step(`GET ${SOSAPI}/system.xml`, 404, "NoSuchKey"),
  step(`GET ${SOSAPI}/capacity.xml`, 404, "NoSuchKey"),
  step("GET /tool?list-type=2&prefix=Veeam%2FBackup%2F&delimiter=%2F&", 200, "ListBucketResult"),
  step(`PUT ${FOLDER}/`, 200, undefined, { body: "" }),
  // A backup writes blocks which nobody removes for thirty days and the ten of Block Generation.
  step(`PUT ${BLOCK}`, 200, undefined, { body: "block", headers: kept(40), keeps: "first" }),
  step(`HEAD ${BLOCK}?versionId={first}`, 200, undefined, {
    has: { "x-amz-object-lock-mode": "COMPLIANCE", "x-amz-version-id": "{first}" },
  }),
  step(`GET ${BLOCK}?retention&versionId={first}`, 200, "Retention", { shows: "COMPLIANCE" }),
  step(`GET ${BLOCK}?legal-hold&versionId={first}`, 404, "NoSuchObjectLockConfiguration"),
  // The next generation keeps blocks that it uses again for longer; a shorter time is refused.
  step(`PUT ${BLOCK}?retention&versionId={first}`, 200, undefined, { body: retained(50) }),
  step(`PUT ${BLOCK}?retention&versionId={first}`, 403, "AccessDenied", { body: retained(45) }),
  step(`GET ${BLOCK}?retention&versionId={first}`, 200, "Retention", {
    shows: inDays(50).slice(0, 19),
  }),
  // The same key is written again: both versions stay.
  step(`PUT ${BLOCK}`, 200, undefined, { body: "newer", headers: kept(40), keeps: "second" }),
  step(`GET ${BLOCK}?versionId={first}`, 200, undefined, { shows: "block" }),
  step(LIST, 200, "ListVersionsResult", { shows: "<VersionId>{first}</VersionId>" }),
  // Removing is refused for each version, and a marker hides the object.
  step("POST /tool?delete", 200, "DeleteResult", {
    body: erase("{first}", "{second}"),
    shows: "<Code>AccessDenied</Code>",
  }),
  step(`DELETE ${BLOCK}?versionId={first}`, 403, "AccessDenied"),
  step(`DELETE ${BLOCK}?versionId={first}`, 403, "AccessDenied", {
    headers: { "x-amz-bypass-governance-retention": "true" },
  }),
  step(`DELETE ${BLOCK}`, 204, undefined, {
    has: { "x-amz-delete-marker": "true" },
    keeps: "marker",
  }),
  step(`HEAD ${BLOCK}`, 404),
  step(`HEAD ${BLOCK}?versionId={marker}`, 405),
  step(LIST, 200, "ListVersionsResult", { shows: "<VersionId>{marker}</VersionId>" }),
  // The owner of the repository takes the object over again, without its marker.
  step("POST /tool?delete", 200, "DeleteResult", {
    body: erase("{marker}"),
    shows: "<DeleteMarkerVersionId>{marker}</DeleteMarkerVersionId>",
  }),
  step(`GET ${BLOCK}`, 200, undefined, { shows: "newer" }),
  // A marker file, which is replaced all the time, is not locked and goes at once.
  step(`PUT ${FOLDER}/state.xml`, 200, undefined, { body: "<a/>", keeps: "state" }),
  step(`DELETE ${FOLDER}/state.xml?versionId={state}`, 204, undefined, {
    has: { "x-amz-version-id": "{state}" },
  }),
  step(`HEAD ${FOLDER}/state.xml`, 404),
  step("DELETE /tool", 409, "BucketNotEmpty"),
];

/** The policy of "How to Create IAM Policy" for immutable buckets. No `s3:HeadBucket` exists, on Amazon either. */
export const VEEAM_POLICY = {
  Version: "2012-10-17",
  Statement: [
    {
      Sid: "VisualEditor0",
      Effect: "Allow",
      Action: [
        "ListBucket",
        "GetBucketLocation",
        "GetObject",
        "PutObject",
        "DeleteObject",
        "GetBucketVersioning",
        "GetBucketObjectLockConfiguration",
        "ListBucketVersions",
        "GetObjectVersion",
        "GetObjectRetention",
        "GetObjectLegalHold",
        "PutObjectRetention",
        "PutObjectLegalHold",
        "DeleteObjectVersion",
      ].map((action) => `s3:${action}`),
      Resource: ["arn:aws:s3:::tool/*", "arn:aws:s3:::tool"],
    },
    {
      Sid: "VisualEditor1",
      Effect: "Allow",
      Action: ["s3:ListAllMyBuckets", "s3:HeadBucket"],
      Resource: "*",
    },
  ],
} as const;
