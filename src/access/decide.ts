/**
 * The one function that decides: it puts a permission that a request needs to the policies.
 * @module
 */

import type { Context } from "../iam/context.ts";
import { type Decision, evaluate } from "../iam/evaluate.ts";
import type { Principal } from "../iam/principal.ts";
import { type Action, formatTargetArn, type Permission } from "../s3/permission.ts";
import type { ObjectInfo } from "../store/objects.ts";
import type { BucketAccess } from "./bucket_access.ts";
import { type ConditionedRequest, RequestContext } from "./request_context.ts";

/** Tags of an object by key. */
export type ObjectTags = ObjectInfo["properties"]["tags"];

/** A permission, and everything that decides about it. */
export type Question = {
  readonly permission: Permission;
  /** The action for the version that the permission is about. */
  readonly action: Action;
  readonly principal: Principal | undefined;
  readonly request: ConditionedRequest;
  /** Name of the operation. */
  readonly operation: string;
  /** Undefined for the service and for a bucket to create, which belong to the caller's account. */
  readonly bucket: BucketAccess | undefined;
  /** Tags of the object as it is; undefined if it has none. */
  readonly tags: ObjectTags | undefined;
  readonly now: Date;
};

/** The actions that see the tags which an object has. */
const SEES_TAGS: ReadonlySet<Action> = new Set<Action>([
  "s3:DeleteObjectTagging",
  "s3:DeleteObjectVersionTagging",
  "s3:GetObject",
  "s3:GetObjectAcl",
  "s3:GetObjectAttributes",
  "s3:GetObjectTagging",
  "s3:GetObjectVersion",
  "s3:GetObjectVersionAcl",
  "s3:GetObjectVersionAttributes",
  "s3:GetObjectVersionTagging",
  "s3:PutObjectAcl",
  "s3:PutObjectTagging",
  "s3:PutObjectVersionAcl",
  "s3:PutObjectVersionTagging",
]);

/** Stands for no facts and for no policies. */
const NOTHING = {};

/** Returns whether a policy that could match an action depends on the tags that an object has. */
export function dependsOnTags(
  action: Action,
  principal: Principal | undefined,
  bucket: BucketAccess | undefined,
): boolean {
  if (!SEES_TAGS.has(action)) return false;
  if (bucket?.policy?.usesExistingTags(action) === true) return true;
  const { policies = [], limits = [] } = principal ?? {};
  return [...policies, ...limits].some((policy) => policy.usesExistingTags(action));
}

const RESTRICTED: Decision = { allowed: false, because: "public access block" };

/** Returns whether only the bucket's policy could let a caller in. */
function isOutside(principal: Principal | undefined, { account }: BucketAccess): boolean {
  return principal === undefined || !principal.isAdmin && principal.account !== account;
}

/** Decides about a permission. */
export function decide(question: Question): Decision {
  const { permission, action, principal, request, operation, bucket, tags, now } = question;
  const account = accountOf(principal, bucket);
  const context = new RequestContext({
    request,
    operation,
    principal,
    account,
    action,
    facts: permission.facts ?? NOTHING,
    existingTags: SEES_TAGS.has(action) ? tags : undefined,
    now,
  });
  return decideIn(context, {
    principal,
    bucket,
    action,
    resource: formatTargetArn(permission.resource),
  });
}

/** What somebody wants to do, without the request. */
export type Wish = {
  readonly principal: Principal | undefined;
  readonly bucket: BucketAccess | undefined;
  readonly action: string;
  /** An ARN, or `*`. */
  readonly resource: string;
};

/** Decides about a wish, with values of condition keys that need not come from a request. */
export function decideIn(
  context: Context,
  { principal, bucket, action, resource }: Wish,
): Decision {
  if (bucket?.isRestricted === true && isOutside(principal, bucket)) return RESTRICTED;
  const policies = bucket?.policy === undefined ? NOTHING : { resource: bucket.policy };
  const resourceAccount = accountOf(principal, bucket);
  return evaluate({ principal, action, resource, resourceAccount, context }, policies);
}

/** Returns the account that owns a resource: the service belongs to the caller's. */
export function accountOf(
  principal: Principal | undefined,
  bucket: BucketAccess | undefined,
): string | undefined {
  return bucket === undefined ? principal?.account : bucket.account;
}
