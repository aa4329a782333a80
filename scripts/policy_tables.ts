/**
 * The tables of docs/policies.md: every action and every condition key, with what is enforced.
 *
 * The keys and actions come from the code. Writing fails if a key has no explanation here, or one of the wrong kind.
 * @module
 */

import { CONTEXT_KEYS } from "../src/access/request_context.ts";
import { CONDITION_KEYS } from "../src/iam/condition_keys.ts";
import { S3_ACTIONS } from "../src/iam/s3_actions.ts";
import { CONTROL_OPERATIONS, SUPPORTED, UNSUPPORTED } from "../src/operations/table.ts";
import { type Action, actionOnVersion } from "../src/s3/permission.ts";

const ALWAYS = "every request";
const SIGNED = "signed requests";
const PUT = "`s3:PutObject`";
const LISTS = "ListObjects, ListObjectsV2 and ListObjectVersions that have the parameter";
const OWNER =
  "every request: the account that owns the bucket; the caller's where there is no bucket";
const LOCKED = "actions `s3:Put…` of requests that have the header `x-amz-object-lock-…`";

/** On which requests a key has a value, by the key as Amazon spells it. */
const VALUED: Readonly<Record<string, string>> = {
  "aws:CurrentTime": ALWAYS,
  "aws:EpochTime": ALWAYS,
  "aws:PrincipalAccount": `${ALWAYS}; \`anonymous\` without credentials`,
  "aws:PrincipalArn": SIGNED,
  "aws:PrincipalIsAWSService": `${ALWAYS}; always \`false\``,
  "aws:PrincipalTag/…": "requests of a user who has the tag",
  "aws:PrincipalType": `${ALWAYS}: \`Account\`, \`User\` or \`Anonymous\``,
  "aws:Referer": "requests that have the header",
  "aws:RequestedRegion": `${ALWAYS}; \`us-east-1\` for IAM`,
  "aws:RequestTag/…": "CreateBucket and TagResource with the tag, and CreateUser, CreatePolicy, " +
    "TagUser and TagPolicy; none in PutBucketTagging, nor for tags of objects " +
    "(`s3:RequestObjectTag/…`)",
  "aws:ResourceAccount": OWNER,
  "aws:SecureTransport": ALWAYS,
  "aws:SourceIp": ALWAYS,
  "aws:TagKeys": "as `aws:RequestTag/…`, and UntagResource, UntagUser and UntagPolicy",
  "aws:UserAgent": "requests that have the header",
  "aws:userid": `${ALWAYS}; \`anonymous\` without credentials`,
  "aws:username": "requests of a user; none for the root of an account",
  "aws:ViaAWSService": `${ALWAYS}; always \`false\``,
  "s3:authType": SIGNED,
  "s3:delimiter": LISTS,
  "s3:ExistingObjectTag/…":
    "actions that read an object, its tags or its ACL, or change its tags " +
    "or its ACL, if the object has the tag; none for other actions, as on Amazon",
  "s3:if-match": `${PUT} and \`s3:DeleteObject\` with the header, or \`ETag\` in DeleteObjects`,
  "s3:if-none-match": `${PUT} and \`s3:DeleteObject\` with the header`,
  "s3:LocationConstraint": "CreateBucket with a location",
  "s3:max-keys": LISTS,
  "s3:object-lock-legal-hold": `${LOCKED}; the body of PutObjectLegalHold`,
  "s3:object-lock-mode": `${LOCKED}; the body of PutObjectRetention`,
  "s3:object-lock-remaining-retention-days": `${LOCKED}; the body of PutObjectRetention`,
  "s3:object-lock-retain-until-date": `${LOCKED}; the body of PutObjectRetention`,
  "s3:ObjectCreationOperation": `${PUT}: \`false\` for UploadPart, UploadPartCopy, ` +
    "CreateMultipartUpload and RenameObject",
  "s3:prefix": LISTS,
  "s3:RequestObjectTag/…": "`s3:PutObject` and `s3:PutObjectTagging` of requests that give the " +
    "object tags; for CopyObject those that the copy gets",
  "s3:RequestObjectTagKeys": "as `s3:RequestObjectTag/…`",
  "s3:ResourceAccount": OWNER,
  "s3:signatureAge": "signed requests; none for a URL presigned with SigV2, which states its end",
  "s3:signatureversion": SIGNED,
  "s3:VersionId": "`…Version…` actions of requests that name a version",
  "s3:x-amz-*": "actions `s3:Put…` and CreateBucket, of requests that have the header; none for " +
    "forms of browsers, which are not accepted",
  "s3:x-amz-content-sha256": "requests that have the header; presigned URLs seldom have it",
  "s3:x-amz-copy-source": `${PUT} of CopyObject and UploadPartCopy`,
};

const NO_ORGANIZATION = "there are no organizations";
const NO_SERVICE = "no service of AWS calls the gateway";
const NO_VPC = "there are no VPCs";
const NO_SESSION = "there are no roles and no sessions";
const NO_ACCESS_POINT = "there are no access points";

/** Why a key never has a value in a request to S3, by the key in lower case. */
const VALUELESS: Readonly<Record<string, string>> = {
  "aws:calledvia": NO_SERVICE,
  "aws:calledviafirst": NO_SERVICE,
  "aws:calledvialast": NO_SERVICE,
  "aws:federatedprovider": NO_SESSION,
  "aws:multifactorauthage": "there is no MFA",
  "aws:multifactorauthpresent": "there is no MFA; access keys have no value on AWS, either",
  "aws:principalorgid": NO_ORGANIZATION,
  "aws:principalorgpaths": NO_ORGANIZATION,
  "aws:principalservicename": NO_SERVICE,
  "aws:principalservicenameslist": NO_SERVICE,
  "aws:resourceorgid": NO_ORGANIZATION,
  "aws:resourceorgpaths": NO_ORGANIZATION,
  "aws:resourcetag/":
    "buckets are not authorized by their tags; IAM knows it for users and policies",
  "aws:sourceaccount": NO_SERVICE,
  "aws:sourcearn": NO_SERVICE,
  "aws:sourceidentity": NO_SESSION,
  "aws:sourceorgid": NO_SERVICE,
  "aws:sourceorgpaths": NO_SERVICE,
  "aws:sourcevpc": NO_VPC,
  "aws:sourcevpce": NO_VPC,
  "aws:tokenissuetime": NO_SESSION,
  "aws:vpcsourceip": NO_VPC,
  "s3:accessgrantsinstancearn": "there are no access grants",
  "s3:accesspointnetworkorigin": NO_ACCESS_POINT,
  "s3:dataaccesspointaccount": NO_ACCESS_POINT,
  "s3:dataaccesspointarn": NO_ACCESS_POINT,
  "s3:jobsuspendedcause": "there are no batch jobs",
  "s3:tlsversion": "the runtime does not tell the version of TLS",
};

/** Returns the table of condition keys. */
export function formatConditionKeys(): string {
  const valued = new Map(Object.entries(VALUED).map(([name, text]) => [plain(name), text]));
  const unexplained = CONTEXT_KEYS.filter((key) => !valued.has(key));
  const stale = [...valued.keys()].filter((key) => !CONTEXT_KEYS.includes(key));
  const others = CONDITION_KEYS.filter((key) => !valued.has(key) && !key.startsWith("s3:x-amz-"));
  unexplained.push(...others.filter((key) => !Object.hasOwn(VALUELESS, key)));
  stale.push(...Object.keys(VALUELESS).filter((key) => !others.includes(key)));
  if (unexplained.length + stale.length > 0) {
    throw new Error(`Keys to explain: ${unexplained.join()}; to remove: ${stale.join()}`);
  }
  return [
    "| Condition key | Has a value in |",
    "| --- | --- |",
    ...Object.entries(VALUED).map(([name, text]) => `| \`${name}\` | ${text} |`),
    ...others.toSorted().map((key) =>
      `| \`${key.endsWith("/") ? `${key}…` : key}\` | no request to S3: ${VALUELESS[key]} |`
    ),
  ].join("\n");
}

function plain(name: string): string {
  return name.replace("…", "").toLowerCase();
}

/** Actions that a request needs besides that of its operation. */
const BESIDES: Readonly<Record<string, string>> = {
  "s3:BypassGovernanceRetention": "requests with `x-amz-bypass-governance-retention`",
  "s3:PutBucketObjectLockConfiguration": "CreateBucket with object lock",
  "s3:PutBucketVersioning": "CreateBucket with object lock",
  "s3:PutObjectLegalHold": "writes with `x-amz-object-lock-legal-hold`",
  "s3:PutObjectRetention": "writes with `x-amz-object-lock-mode` or a date",
};

/** Returns the table of actions, each with the requests that need it. */
export function formatPolicyActions(): string {
  const operations = [...SUPPORTED, ...CONTROL_OPERATIONS];
  const byAction = Map.groupBy(operations, ({ action }) => action);
  const onVersions = new Map(
    operations.flatMap(({ action }) => {
      const onVersion = actionOnVersion(action, "null");
      return onVersion === action ? [] : [[onVersion, action] as const];
    }),
  );
  const refused = Map.groupBy(UNSUPPORTED, ({ action }) => action);
  const neededBy = (action: Action): string => {
    const besides = BESIDES[action];
    const found = byAction.get(action)?.map(({ name }) => name).toSorted() ?? [];
    if (found.length > 0) return [...found, ...(besides === undefined ? [] : [besides])].join(", ");
    const plain = onVersions.get(action);
    if (plain !== undefined) return `as \`${plain}\`, with a \`versionId\``;
    if (besides !== undefined) return besides;
    const missing = refused.get(action);
    if (missing === undefined) return "known; no request needs it";
    return `known; ${missing.map(({ name }) => name).toSorted().join(", ")}: \`NotImplemented\``;
  };
  const actions = new Set([...S3_ACTIONS.keys() as MapIterator<Action>, ...byAction.keys()]);
  const rows = [...actions].toSorted().map((action) => {
    const of = byAction.get(onVersions.get(action) ?? action) ?? [];
    const everybody = of.some(({ everybody }) => everybody) ? "yes" : "";
    return `| \`${action}\` | ${neededBy(action)} | ${everybody} |`;
  });
  return ["| Action | Needed by | Unsigned requests |", "| --- | --- | --- |", ...rows].join("\n");
}
