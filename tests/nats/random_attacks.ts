/**
 * Random requests by which a user may try to get rid of versions.
 * @module
 */

import type { ObjectKey } from "../../src/s3/names.ts";
import type { VersionId } from "../../src/s3/version_id.ts";
import type { Random } from "../simulation/random.ts";

/** A version that a request may name. */
export type Target = {
  readonly key: ObjectKey;
  readonly id: VersionId;
  isLifted: boolean;
};

/** A request. */
export type Attack = {
  readonly what: string;
  readonly method: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The version whose hold it lifts, if the user may do so. */
  readonly lifts?: Target | undefined;
};

const BYPASS = { "x-amz-bypass-governance-retention": "true" };
const RULES = [
  "<Expiration><Days>1</Days></Expiration>",
  "<Expiration><Date>2020-01-01T00:00:00Z</Date></Expiration>",
  "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
  "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>",
];
const POLICY = {
  Version: "2012-10-17",
  Statement: {
    Effect: "Allow",
    Principal: "*",
    Action: ["s3:BypassGovernanceRetention", "s3:*"],
    Resource: ["arn:aws:s3:::vault", "arn:aws:s3:::vault/*"],
  },
};

/** Returns the next attack, on some of these keys and versions. */
export function newAttack(
  random: Random,
  keys: readonly ObjectKey[],
  versions: readonly Target[],
): Attack {
  const key = random.pick(keys);
  const version = random.pick(versions);
  const bypass = random.chance(0.6) ? BYPASS : {};
  const path = `/vault/${key}`;
  const on = `/vault/${version.key}`;
  const id = `versionId=${version.id}`;
  const kinds: readonly (() => Attack)[] = [
    ...Array(4).fill(() => ({
      what: "DeleteObject version",
      method: "DELETE",
      target: `${on}?${id}`,
      headers: bypass,
    })),
    () => ({ what: "DeleteObject", method: "DELETE", target: path, headers: bypass }),
    () => ({ what: "DeleteObject null", method: "DELETE", target: `${path}?versionId=null` }),
    () => ({
      what: "DeleteObjects",
      method: "POST",
      target: "/vault?delete=",
      headers: bypass,
      body: `<Delete>${
        Array.from({ length: 5 }, () => random.pick(versions)).map((one) =>
          `<Object><Key>${one.key}</Key><VersionId>${one.id}</VersionId></Object>`
        ).join("")
      }</Delete>`,
    }),
    () => ({ what: "PutObject", method: "PUT", target: path, body: "overwritten" }),
    () => ({ what: "PutObject", method: "PUT", target: path, body: "" }),
    () => ({
      what: "CopyObject on itself",
      method: "PUT",
      target: on,
      headers: {
        "x-amz-copy-source": `${on}?${id}`,
        "x-amz-metadata-directive": "REPLACE",
        "x-amz-object-lock-legal-hold": "OFF",
      },
    }),
    () => ({
      what: "RenameObject",
      method: "PUT",
      target: `${path}?renameObject=`,
      headers: { "x-amz-rename-source": on },
    }),
    () => ({ what: "CreateMultipartUpload", method: "POST", target: `${path}?uploads=` }),
    () => ({
      what: "PutBucketLifecycle",
      method: "PUT",
      target: "/vault?lifecycle=",
      body: `<LifecycleConfiguration><Rule><ID>all</ID><Status>Enabled</Status><Filter/>${
        random.pick(RULES)
      }</Rule></LifecycleConfiguration>`,
    }),
    () => ({ what: "DeleteBucketLifecycle", method: "DELETE", target: "/vault?lifecycle=" }),
    () => ({
      what: "PutBucketVersioning",
      method: "PUT",
      target: "/vault?versioning=",
      body: "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>",
    }),
    () => ({
      what: "PutObjectRetention",
      method: "PUT",
      target: `${on}?retention=&${id}`,
      headers: bypass,
      body: random.pick(["<Retention></Retention>", retention(random)]),
    }),
    () => ({
      what: "PutObjectLegalHold",
      method: "PUT",
      target: `${on}?legal-hold=&${id}`,
      body: "<LegalHold><Status>OFF</Status></LegalHold>",
      lifts: version,
    }),
    () => ({
      what: "PutObjectLockConfiguration",
      method: "PUT",
      target: "/vault?object-lock=",
      body: random.pick([
        "<ObjectLockConfiguration></ObjectLockConfiguration>",
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
      ]),
    }),
    () => ({
      what: "PutBucketPolicy",
      method: "PUT",
      target: "/vault?policy=",
      body: JSON.stringify(POLICY),
    }),
    () => ({ what: "DeleteBucketPolicy", method: "DELETE", target: "/vault?policy=" }),
    () => ({ what: "DeleteBucket", method: "DELETE", target: "/vault" }),
    () => ({ what: "CreateBucket", method: "PUT", target: "/vault" }),
    () => ({ what: "DeleteObjectTagging", method: "DELETE", target: `${on}?tagging=&${id}` }),
  ];
  return random.pick(kinds)();
}

/** Returns a retention that ends soon, or has ended. */
function retention(random: Random): string {
  const mode = random.pick(["GOVERNANCE", "COMPLIANCE"]);
  const until = new Date(Date.now() + random.pick([-60_000, 2000, 60_000])).toISOString();
  return `<Retention><Mode>${mode}</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`;
}
