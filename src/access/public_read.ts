/**
 * Whether everybody may read the objects of a bucket: its policy says so.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteAccessPermissionsReqd.html
 * @module
 */

import { BoundedCache } from "../collections/bounded_cache.ts";
import type { BucketName } from "../s3/names.ts";
import { isPublicRead } from "../s3/policy.ts";
import type { Store } from "../store/store.ts";

/**
 * Returns whether everybody may read the objects of a bucket, as of at most a second ago. A policy that cannot be read is
 * an error, so nobody is let in by mistake.
 *
 * It rejects with `NoSuchBucket`, and with the store's errors.
 */
export type IsPublic = (bucket: BucketName) => Promise<boolean>;

/** Number of buckets whose answer is kept. */
const MAX_KEPT = 10_000;

/** Creates the function. It parses a policy once for as long as the policy does not change. */
export function createIsPublic(store: Pick<Store, "readDocument">): IsPublic {
  const kept = new BoundedCache<{ readonly text: string; readonly isPublic: boolean }>(MAX_KEPT);
  return async (bucket) => {
    const text = await store.readDocument(bucket, "policy");
    if (text === undefined) return false;
    const known = kept.get(bucket);
    if (known?.text === text) return known.isPublic;
    const isPublic = isPublicRead(text, bucket);
    kept.set(bucket, { text, isPublic }, 1);
    return isPublic;
  };
}
