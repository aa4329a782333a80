/**
 * The pipeline's third step: is it allowed?
 *
 * Every user may do everything, as in the Go gateway nats-s3. An anonymous caller may read the objects of a bucket whose
 * policy says so, and nothing else. A bucket's owner must be the one that the request expects: the account, by its number,
 * or the user who created the bucket, by the access key id. A request of S3 Control must be about the account.
 * @module
 */

import type { Identity } from "../auth/identity.ts";
import { parseCopySource } from "../s3/copy_source.ts";
import { S3Error } from "../s3/errors.ts";
import type { BucketName } from "../s3/names.ts";
import type { Action, Permission } from "../s3/permission.ts";
import type { VerifiedRequest } from "../s3/verified_request.ts";
import type { Store } from "../store/store.ts";
import type { IsPublic } from "./public_read.ts";

/** The step itself. Both functions refuse with `AccessDenied`. */
export type Authorize = {
  /** Checks a request before the operation parses it. */
  readonly check: (
    identity: Identity,
    operation: { readonly action: Action },
    request: VerifiedRequest,
  ) => Promise<void>;
  /** Checks one more permission, which only the parsed request names: a key to delete, the source of a copy. */
  readonly allow: (identity: Identity, permission: Permission) => void;
};

/**
 * Creates the step.
 *
 * @param account Number of the account that owns all buckets. Requests may expect it or a bucket's own owner.
 */
export function createAuthorize(
  store: Pick<Store, "readBucket">,
  account: string,
  isPublic: IsPublic,
): Authorize {
  const expectOwner = async (bucket: BucketName, expected: string): Promise<void> => {
    if (expected === account) return; // whether there is such a bucket, the operation finds out
    const { owner } = await store.readBucket(bucket);
    if (owner !== expected) throw new S3Error("AccessDenied");
  };
  return {
    async check(identity, { action }, request) {
      const { headers, target } = request;
      if (identity.kind === "anonymous") await letEverybody(action, request, isPublic);
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
    },
    allow(identity) {
      if (identity.kind === "anonymous") throw new S3Error("AccessDenied");
    },
  };
}

/**
 * Checks what a caller wants whom nobody knows.
 *
 * @throws S3Error `AccessDenied`; `InvalidRequest` for response headers, which only a signature may choose
 */
async function letEverybody(
  action: Action,
  { target, query }: Pick<VerifiedRequest, "target" | "query">,
  isPublic: IsPublic,
): Promise<void> {
  if (action !== "s3:GetObject" || target.on !== "object" || !await isPublic(target.bucket)) {
    throw new S3Error("AccessDenied");
  }
  for (const name of query.keys()) {
    if (!name.startsWith("response-")) continue;
    throw new S3Error("InvalidRequest", {}, {
      message: "Request specific response headers cannot be used for anonymous GET requests.",
    });
  }
}
