/**
 * The pipeline's third step: is it allowed?
 *
 * Every user may do everything, as in the Go gateway nats-s3, and an anonymous caller may do nothing. A bucket's owner
 * must be the one that the request expects: the account, by its number, or the user who created the bucket, by the access
 * key id. A request of S3 Control must be about the account.
 * @module
 */

import type { Identity, User } from "../auth/identity.ts";
import { parseCopySource } from "../s3/copy_source.ts";
import { S3Error } from "../s3/errors.ts";
import type { BucketName } from "../s3/names.ts";
import type { Action, Permission } from "../s3/permission.ts";
import type { VerifiedRequest } from "../s3/verified_request.ts";
import type { Store } from "../store/store.ts";

/** The step itself. Both functions refuse with `AccessDenied`. */
export type Authorize = {
  /** Checks a request before the operation parses it; resolves to the caller on whose behalf it runs. */
  readonly check: (
    identity: Identity,
    operation: { readonly action: Action },
    request: VerifiedRequest,
  ) => Promise<User>;
  /** Checks one more permission, which only the parsed request names: a key to delete, the source of a copy. */
  readonly allow: (identity: Identity, permission: Permission) => void;
};

/**
 * Creates the step.
 *
 * @param account Number of the account that owns all buckets. Requests may expect it or a bucket's own owner.
 */
export function createAuthorize(store: Pick<Store, "readBucket">, account: string): Authorize {
  const expectOwner = async (bucket: BucketName, expected: string): Promise<void> => {
    if (expected === account) return; // whether there is such a bucket, the operation finds out
    const { owner } = await store.readBucket(bucket);
    if (owner !== expected) throw new S3Error("AccessDenied");
  };
  return {
    async check(identity, { action }, { headers, target }) {
      allow(identity, { action, resource: target });
      const expected = headers.get("x-amz-expected-bucket-owner");
      if (target.on === "account" && target.account !== account) throw new S3Error("AccessDenied");
      if (expected !== null && "bucket" in target) {
        await expectOwner(target.bucket, expected);
      }
      const source = headers.get("x-amz-copy-source");
      const expectedSource = headers.get("x-amz-source-expected-bucket-owner");
      if (expectedSource !== null && source !== null) {
        await expectOwner(parseCopySource(source).bucket, expectedSource);
      }
      return identity;
    },
    allow,
  };
}

function allow(identity: Identity, _permission: Permission): asserts identity is User {
  if (identity.kind === "anonymous") throw new S3Error("AccessDenied");
}
