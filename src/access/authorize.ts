/**
 * The pipeline's third step: may they?
 *
 * For now every authenticated identity may do everything, as in the Go gateway nats-s3; what a request expects of a
 * bucket's owner is checked.
 * @module
 */

import { parseCopySource } from "../s3/copy_source.ts";
import { S3Error } from "../s3/errors.ts";
import type { BucketName } from "../s3/names.ts";
import type { Identity, VerifiedRequest } from "../s3/verified_request.ts";
import type { Store } from "../store/store.ts";

/** The step itself; it rejects with `AccessDenied`. */
export type Authorize = (
  identity: Identity,
  operation: { readonly action: string },
  request: VerifiedRequest,
) => Promise<void>;

/** Creates the step. */
export function createAuthorize(store: Pick<Store, "readBucket">): Authorize {
  return async (_identity, _operation, { headers, target }) => {
    const expected = headers.get("x-amz-expected-bucket-owner");
    if (expected !== null && target.on !== "service") {
      await expectOwner(store, target.bucket, expected);
    }
    const source = headers.get("x-amz-copy-source");
    const expectedSource = headers.get("x-amz-source-expected-bucket-owner");
    if (expectedSource !== null && source !== null) {
      await expectOwner(store, parseCopySource(source).bucket, expectedSource);
    }
  };
}

async function expectOwner(
  store: Pick<Store, "readBucket">,
  bucket: BucketName,
  expected: string,
): Promise<void> {
  const { owner } = await store.readBucket(bucket);
  if (owner !== expected) throw new S3Error("AccessDenied");
}
