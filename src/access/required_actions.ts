/**
 * The actions that a request needs: its operation's own one, and those that its headers ask for.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
 *
 * Tags of a write and the source of a copy are known only after parsing, so operations ask for those themselves.
 * @module
 */

import { AS_OF } from "../s3/as_of.ts";
import { namesETag } from "../s3/conditions.ts";
import { BYPASS } from "../s3/stated_lock.ts";
import type { Action } from "../s3/permission.ts";
import { actionOnVersion } from "../s3/permission.ts";
import type { Query } from "../s3/request.ts";
import { IF_MATCH_MODIFIED, IF_MATCH_SIZE } from "../s3/protections.ts";
import type { RequestHeaders } from "../s3/request_headers.ts";
import { NULL_VERSION } from "../s3/version_id.ts";

/** An operation, as far as permissions depend on it. */
export type AuthorizedOperation = {
  /** As AWS names it: `ListParts`. */
  readonly name: string;
  readonly action: Action;
  /** Everybody may run it, where a policy allows that; other operations are for users alone. */
  readonly everybody?: boolean;
  /** It asks for its permissions itself, because they depend on the body of the request. */
  readonly asksItself?: boolean;
  /** It shows the object to `Access.seen` before it returns or changes anything. */
  readonly seesObject?: boolean;
};

/** The actions on the policy of a bucket, which are for the owner's account alone. */
export const OF_POLICY: ReadonlySet<Action> = new Set<Action>([
  "s3:DeleteBucketPolicy",
  "s3:GetBucketPolicy",
  "s3:PutBucketPolicy",
]);

/** The operations that begin an object, and so state its ACL, its tags and its locks. */
const BEGINS: ReadonlySet<string> = new Set(["CopyObject", "CreateMultipartUpload", "PutObject"]);
/** The operations that create an object when they succeed: `s3:ObjectCreationOperation`. */
const CREATES: ReadonlySet<string> = new Set([
  "CompleteMultipartUpload",
  "CopyObject",
  "PutObject",
]);

/** Returns whether an operation creates an object: the one that its target names has no tags yet. */
export function createsObject(name: string): boolean {
  return CREATES.has(name) || BEGINS.has(name);
}

/** Returns whether an operation begins an object, and so may state its ACL. */
export function beginsObject(name: string): boolean {
  return BEGINS.has(name);
}

/** Returns the value of `s3:ObjectCreationOperation` for `s3:PutObject`: parts and beginnings of uploads create nothing. */
export function isObjectCreation(name: string): boolean {
  return CREATES.has(name);
}

/**
 * Returns the actions on the target of a request, of which each must be allowed.
 *
 * @example Usage
 * ```ts
 * import { requiredActions } from "./required_actions.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const operation = { name: "DeleteObject", action: "s3:DeleteObject" } as const;
 * const headers = new Headers({ "if-match": '"d41d8cd98f00b204e9800998ecf8427e"' });
 * deepStrictEqual(requiredActions(operation, { headers, query: new Map() }), [
 *   "s3:DeleteObject",
 *   "s3:GetObject",
 * ]);
 * ```
 */
export function requiredActions(
  { name, action }: AuthorizedOperation,
  { headers, query }: {
    readonly headers: Pick<RequestHeaders, "get" | "keys">;
    readonly query: Query;
  },
): readonly [Action, ...Action[]] {
  const versionId = query.get("versionId");
  // A read as of a time names no version, so `s3:VersionId` has no value.
  const version = versionId ?? (isLookBack(name, headers) ? NULL_VERSION : undefined);
  const actions: [Action, ...Action[]] = [actionOnVersion(action, version)];
  // Amazon's page demands both.
  if (name === "GetObjectAttributes") actions.push(actionOnVersion("s3:GetObject", versionId));
  if (comparesObject(name, headers)) actions.push("s3:GetObject");
  if (BEGINS.has(name)) {
    if (hasAcl(headers)) actions.push("s3:PutObjectAcl");
    const isRetained = headers.get("x-amz-object-lock-mode") !== null ||
      headers.get("x-amz-object-lock-retain-until-date") !== null;
    if (isRetained) actions.push("s3:PutObjectRetention");
    if (headers.get("x-amz-object-lock-legal-hold") !== null) actions.push("s3:PutObjectLegalHold");
  }
  if (name === "CreateBucket") {
    if (hasAcl(headers)) actions.push("s3:PutBucketAcl");
    if (headers.get("x-amz-object-ownership") !== null) {
      actions.push("s3:PutBucketOwnershipControls");
    }
    if (isTrue(headers.get("x-amz-bucket-object-lock-enabled"))) {
      actions.push("s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning");
    }
  }
  if (bypassesGovernance(name, headers)) actions.push("s3:BypassGovernanceRetention");
  return actions;
}

/** Returns whether a request reads an object as it was at a time. */
function isLookBack(name: string, headers: Pick<RequestHeaders, "get">): boolean {
  return (name === "GetObject" || name === "HeadObject") && headers.get(AS_OF) !== null;
}

/** Returns whether the answer to a write tells something of the object that it replaces, renames over or deletes. */
function comparesObject(name: string, headers: Pick<RequestHeaders, "get">): boolean {
  const isDeletion = name === "DeleteObject";
  if (!isDeletion && name !== "RenameObject" && !CREATES.has(name)) return false;
  return namesETag(headers.get("if-match")) ||
    isDeletion && (headers.get(IF_MATCH_SIZE) ?? headers.get(IF_MATCH_MODIFIED)) !== null;
}

/**
 * Returns whether a deletion asks to be let past a lock in governance mode. DeleteObjects and PutObjectRetention, whose bodies
 * say more, ask themselves.
 */
function bypassesGovernance(name: string, headers: Pick<RequestHeaders, "get">): boolean {
  return name === "DeleteObject" && isTrue(headers.get(BYPASS));
}

function isTrue(text: string | null): boolean {
  return text?.toLowerCase() === "true";
}

function hasAcl(headers: Pick<RequestHeaders, "get" | "keys">): boolean {
  if (headers.get("x-amz-acl") !== null) return true;
  for (const name of headers.keys()) if (name.startsWith("x-amz-grant-")) return true;
  return false;
}
