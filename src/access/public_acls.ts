/**
 * Writes whose headers give something to everybody, which a public access block refuses.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html
 *
 * ACLs have no effect here, so this matters only where they are dropped (`--bucket.acl-headers ignore`): elsewhere each such
 * write is refused anyway.
 * @module
 */

import { namesPublicAcl } from "../s3/acl.ts";
import { S3Error } from "../s3/errors.ts";
import type { AskedRequest } from "./asked_request.ts";
import type { BucketAccesses } from "./bucket_access.ts";
import type { PublicAccessBlocks } from "./public_access_blocks.ts";
import { beginsObject } from "./required_actions.ts";

/** Returns whether a request creates something with an ACL that is public. */
export function asksForPublicAcl(
  { operation: { name }, request: { headers } }: AskedRequest,
): boolean {
  return (name === "CreateBucket" || beginsObject(name)) && namesPublicAcl(headers);
}

/**
 * Refuses a public ACL where it is blocked: in the bucket and in its account, or for a bucket to create in the caller's
 * account.
 *
 * @throws S3Error `AccessDenied`
 */
export async function refusePublicAcl(
  { identity, operation, request: { target } }: AskedRequest,
  { buckets, blocks }: {
    readonly buckets: Pick<BucketAccesses, "blocks">;
    readonly blocks: Pick<PublicAccessBlocks, "ofAccount">;
  },
): Promise<void> {
  const block = "BlockPublicAcls";
  if (!("bucket" in target) || identity.kind === "anonymous") return;
  const isBlocked = operation.name === "CreateBucket"
    ? await blocks.ofAccount(block, identity.principal.account)
    : await buckets.blocks(block, target.bucket);
  if (isBlocked) throw new S3Error("AccessDenied");
}
