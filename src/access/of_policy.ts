/**
 * Rules about the policy of a bucket that no policy changes.
 * @module
 */

import type { Principal } from "../iam/principal.ts";
import { S3Error } from "../s3/errors.ts";
import type { Permission } from "../s3/permission.ts";
import type { AskedRequest } from "./asked_request.ts";
import { brokenPolicy, type BucketAccess } from "./bucket_access.ts";
import { OF_POLICY } from "./required_actions.ts";

/**
 * Lets nobody use a bucket whose policy cannot be read, except the owner's root who looks at the policy or replaces it.
 *
 * @throws S3Error `AccessDenied`
 */
export function requireRepair(
  { action }: Permission,
  principal: Principal | undefined,
  { bucket, account }: BucketAccess,
): void {
  const isOwner = principal?.isAdmin || principal?.isRoot && principal.account === account;
  if (!isOwner || !OF_POLICY.has(action)) throw brokenPolicy(bucket);
}

/**
 * Leaves the policy of a bucket to its own account.
 *
 * @throws S3Error `MethodNotAllowed`
 */
export function requireOwnAccount(
  { request: { method: Method } }: AskedRequest,
  principal: Principal | undefined,
  own: BucketAccess | undefined,
): void {
  if (principal?.isAdmin === true || principal?.account === own?.account) return;
  throw new S3Error("MethodNotAllowed", { Method, ResourceType: "BUCKETPOLICY" });
}
