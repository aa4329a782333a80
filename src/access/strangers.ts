/**
 * Reads of bucket documents for callers whom nobody knows.
 *
 * Anybody can ask for buckets that do not exist, of which nothing is kept, so this bounds what such requests cost
 * JetStream. Buckets that were found before do not count: their documents are kept, and a flood does not shut them off.
 * @module
 */

import { BoundedCache } from "../collections/bounded_cache.ts";
import { isS3Error, S3Error } from "../s3/errors.ts";
import type { Store } from "../store/store.ts";

/** The reads themselves. */
export type StrangerReads = Pick<Store, "readDocument">;

/** The most buckets that are looked up at a time. */
const LOOKUPS_AT_ONCE = 32;
/** Number of buckets that are known to exist. */
const MAX_KNOWN = 10_000;

/**
 * Wraps the reads of a store. They reject as those of the store do, and with `SlowDown` if too many unknown buckets are
 * being looked up.
 */
export function createStrangerReads(store: StrangerReads): StrangerReads {
  const known = new BoundedCache<true>(MAX_KNOWN);
  let lookups = 0;
  return {
    async readDocument(bucket, kind) {
      const isKnown = known.get(bucket) === true;
      if (!isKnown && lookups >= LOOKUPS_AT_ONCE) throw new S3Error("SlowDown");
      if (!isKnown) lookups++;
      try {
        const text = await store.readDocument(bucket, kind);
        if (!isKnown) known.set(bucket, true, 1);
        return text;
      } catch (cause) {
        if (isS3Error(cause, "NoSuchBucket")) known.delete(bucket);
        throw cause;
      } finally {
        if (!isKnown) lookups--;
      }
    },
  };
}
