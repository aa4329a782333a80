/**
 * The pipeline's third step: is it allowed?
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-s3-evaluates-access-control.html
 *
 * Policies decide: those of the caller, and that of the bucket. Most requests come from the root of the account that owns
 * a bucket without a policy, and cost no evaluation. A bucket's owner must be the one that the request expects: the
 * account, by its number, or the user who created the bucket, by the access key id. A request of S3 Control must be about
 * the caller's account.
 * @module
 */

import type { Identity } from "../auth/identity.ts";
import { parseCopySource } from "../s3/copy_source.ts";
import { S3Error } from "../s3/errors.ts";
import type { BucketName } from "../s3/names.ts";
import type { Store } from "../store/store.ts";
import type { BucketAccess } from "./bucket_access.ts";
import type { AccessServices, AskedRequest } from "./asked_request.ts";
import { begin } from "./begin.ts";
import type { PublicAccessBlocks } from "./public_access_blocks.ts";
import { asksForPublicAcl, refusePublicAcl } from "./public_acls.ts";
import { type Permissions, RequestAccess } from "./request_access.ts";

/**
 * The step itself: checks a request before the operation parses it, and returns what else the operation may ask.
 *
 * It throws or rejects with `AccessDenied`; `NoSuchBucket`; `InvalidRequest` for response headers, which only a signature
 * may choose; `MethodNotAllowed` for the policy of another account's bucket.
 */
export type Authorize = (asked: AskedRequest) => Permissions | Promise<Permissions>;

/** The services of the step. */
export type AuthorizeServices = AccessServices & {
  readonly store: Pick<Store, "readBucket">;
  /** Number of the gateway's own account. */
  readonly account: string;
  readonly blocks: Pick<PublicAccessBlocks, "ofAccount">;
  /** ACLs that would widen access are dropped instead of refused (`--bucket.acl-headers`). */
  readonly dropsAcls: boolean;
};

/** Creates the step. */
export function createAuthorize(services: AuthorizeServices): Authorize {
  const { buckets } = services;
  return (asked) => {
    const { operation, request, identity } = asked;
    const { headers, target } = request;
    if (identity.kind === "anonymous" && operation.everybody !== true) {
      throw new S3Error("AccessDenied"); // without asking JetStream
    }
    if (target.on === "account") requireAccount(identity, target.account, services.account);
    const expectsOwner = headers.has("x-amz-expected-bucket-owner") ||
      headers.has("x-amz-source-expected-bucket-owner");
    // A bucket that is to be created has no facts yet, or those of somebody else.
    const bucket = "bucket" in target && operation.name !== "CreateBucket"
      ? target.bucket
      : undefined;
    const known = bucket === undefined ? undefined : buckets.current(bucket);
    const isPublic = services.dropsAcls && asksForPublicAcl(asked);
    if (bucket !== undefined && known === undefined || expectsOwner || isPublic) {
      return checkLater(services, asked, bucket, known);
    }
    const access = new RequestAccess(services, asked, known);
    const wait = begin(access, asked, known);
    return wait === undefined ? access : wait.then(() => access);
  };
}

async function checkLater(
  services: AuthorizeServices,
  asked: AskedRequest,
  bucket: BucketName | undefined,
  known: BucketAccess | undefined,
): Promise<Permissions> {
  const isAnonymous = asked.identity.kind === "anonymous";
  const own = bucket === undefined
    ? undefined
    : known ?? await services.buckets.read(bucket, isAnonymous);
  const access = new RequestAccess(services, asked, own);
  await begin(access, asked, own);
  if (services.dropsAcls && asksForPublicAcl(asked)) await refusePublicAcl(asked, services);
  const { headers, target } = asked.request;
  const expected = headers.get("x-amz-expected-bucket-owner");
  if (expected !== null && bucket !== undefined && "bucket" in target) {
    await expectOwner(services, target.bucket, expected);
  }
  const source = headers.get("x-amz-copy-source");
  const expectedSource = headers.get("x-amz-source-expected-bucket-owner");
  if (expectedSource !== null && source !== null) {
    await expectOwner(services, parseCopySource(source).bucket, expectedSource);
  }
  return access;
}

/** Refuses a request of S3 Control about an account that is not the caller's. */
function requireAccount(identity: Identity, named: string | undefined, own: string): void {
  const principal = identity.kind === "user" ? identity.principal : undefined;
  if (principal === undefined || named === undefined) throw new S3Error("AccessDenied");
  if (named !== principal.account && !(principal.isAdmin && named === own)) {
    throw new S3Error("AccessDenied");
  }
}

async function expectOwner(
  { store, buckets }: AuthorizeServices,
  bucket: BucketName,
  expected: string,
): Promise<void> {
  const { account } = buckets.current(bucket) ?? await buckets.read(bucket, false);
  if (account === expected) return;
  const { owner } = await store.readBucket(bucket);
  if (owner !== expected) throw new S3Error("AccessDenied");
}
