/**
 * The permission to perform an action on a resource.
 * See https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 * @module
 */

import type { BucketName } from "./names.ts";
import type { RetentionMode } from "./stated_lock.ts";
import type { Target } from "./request.ts";
import { bucketAt } from "./resource_arn.ts";
import type { TagSet } from "./tags.ts";

/** An action as policies name it, such as `s3:GetObject`. */
export type Action = `${"s3" | "s3express" | "s3-object-lambda"}:${string}`;

/** An action on the service, a bucket or an object. */
export type Permission = {
  readonly action: Action;
  readonly resource: Target;
  /** What the request says about this action and its headers do not show. */
  readonly facts?: PermissionFacts;
};

/** Facts that only the body of a request states, as conditions of policies see them. */
export type PermissionFacts = {
  /** Version id of one key of DeleteObjects, or of the source of a copy. */
  readonly versionId?: string | undefined;
  /** The ETag that one key of DeleteObjects must have, or `*`. */
  readonly ifMatch?: string | undefined;
  /** The lock that the body of the request states; undefined if its headers state it. */
  readonly lock?: {
    readonly mode?: RetentionMode;
    readonly until?: Date;
    readonly legalHold?: boolean;
  };
  /** Tags that the request gives to an object. */
  readonly objectTags?: TagSet | undefined;
  /** Tags that the request gives to a bucket. */
  readonly bucketTags?: TagSet | undefined;
  /** Keys of the tags that the request removes from a bucket. */
  readonly tagKeys?: readonly string[] | undefined;
  /** Location of a bucket to create. */
  readonly location?: string | undefined;
};

/** Actions on an object that have another name for a request that names a version. */
const ON_VERSIONS: ReadonlyMap<Action, Action> = new Map<Action, Action>([
  ["s3:DeleteObject", "s3:DeleteObjectVersion"],
  ["s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"],
  ["s3:GetObject", "s3:GetObjectVersion"],
  ["s3:GetObjectAcl", "s3:GetObjectVersionAcl"],
  ["s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"],
  ["s3:GetObjectTagging", "s3:GetObjectVersionTagging"],
  ["s3:GetObjectTorrent", "s3:GetObjectVersionTorrent"],
  ["s3:PutObjectAcl", "s3:PutObjectVersionAcl"],
  ["s3:PutObjectTagging", "s3:PutObjectVersionTagging"],
]);

/**
 * Returns the action on an object for a request that may name a version.
 *
 * @param versionId As the request states it; undefined if it names none.
 *
 * @example Usage
 * ```ts
 * import { actionOnVersion } from "./permission.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(actionOnVersion("s3:GetObject", undefined), "s3:GetObject");
 * strictEqual(actionOnVersion("s3:GetObject", "null"), "s3:GetObjectVersion");
 * strictEqual(actionOnVersion("s3:PutObject", "null"), "s3:PutObject");
 * ```
 */
export function actionOnVersion(action: Action, versionId: string | undefined): Action {
  return versionId === undefined ? action : ON_VERSIONS.get(action) ?? action;
}

/**
 * Returns the Amazon Resource Name of a target. The service and an account that names no bucket are `*`, because their
 * actions have no resource.
 *
 * @example Usage
 * ```ts
 * import { formatTargetArn } from "./permission.ts";
 * import { parseBucketName, parseObjectKey } from "./names.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const bucket = parseBucketName("photos");
 * strictEqual(formatTargetArn({ on: "bucket", bucket }), "arn:aws:s3:::photos");
 * const object = { on: "object", bucket, key: parseObjectKey("a b.jpg") } as const;
 * strictEqual(formatTargetArn(object), "arn:aws:s3:::photos/a b.jpg");
 * strictEqual(formatTargetArn({ on: "service" }), "*");
 * ```
 */
export function formatTargetArn(target: Target): string {
  if (target.on === "object") return `arn:aws:s3:::${target.bucket}/${target.key}`;
  const bucket = bucketOfTarget(target);
  return bucket === undefined ? "*" : `arn:aws:s3:::${bucket}`;
}

/** Returns the bucket that a target is or is in; undefined if it names none. */
export function bucketOfTarget(target: Target): BucketName | undefined {
  if ("bucket" in target) return target.bucket;
  return target.on === "account" ? bucketAt(target.path) : undefined;
}
