/**
 * The account that owns a bucket.
 *
 * As long as accounts are not isolated, one account owns all buckets. Then a bucket belongs to the account in the record of
 * its owner, or else to the account of the holder of the access key that the record names. A bucket of which nobody knows
 * the owner belongs to the account of the administrators.
 * @module
 */

import { BoundedCache } from "../collections/bounded_cache.ts";
import type { BucketName } from "../s3/names.ts";
import type { BucketInfo, BucketOwner } from "../store/buckets.ts";
import type { Store } from "../store/store.ts";
import { monotonic } from "../world/world.ts";
import type { BucketAccessSources } from "./bucket_access.ts";

/** Where the facts come from. */
export type BucketAccountSources = {
  readonly store: Pick<Store, "knownOwner" | "readOwner">;
  /** The account of administrators. */
  readonly home: string;
  /** Returns whether accounts are isolated now. */
  readonly isIsolated: () => boolean;
  /** Returns the account of the holder of an access key; undefined if nobody holds it. */
  readonly accountOfKey: (accessKeyId: string) => string | undefined;
};

/** The functions that tell the account of a bucket. */
export type BucketAccounts = Pick<BucketAccessSources, "knownAccount" | "accountOf"> & {
  /** Returns the account of a bucket as a list shows it. */
  readonly accountOfListed: (bucket: Pick<BucketInfo, "owner" | "account">) => string;
  /** Returns what two buckets of one owner have in common: the account, or the access key where accounts are not isolated. */
  readonly ownerOf: OwnerOf;
};

/** Returns the owner of a bucket, to be compared with that of another one; undefined if nobody knows it. */
export type OwnerOf = (bucket: Pick<BucketInfo, "owner" | "account">) => string | undefined;

/** Milliseconds for which it is kept who owns a bucket: the store does not keep that nobody is recorded. */
const LEASE = 1000;
/** Number of buckets of which it is kept. */
const MAX_KEPT = 10_000;

/** Creates the functions. */
export function createBucketAccounts(
  { store, home, isIsolated, accountOfKey }: BucketAccountSources,
): BucketAccounts {
  const kept = new BoundedCache<{ readonly owner: BucketOwner | undefined; readonly at: number }>(
    MAX_KEPT,
  );
  const toAccount = (owner: BucketOwner | undefined): string => {
    if (owner === undefined) return home;
    return owner.account ?? accountOfKey(owner.accessKeyId) ?? home;
  };
  const accountOfListed: BucketAccounts["accountOfListed"] = ({ owner, account }) => {
    if (!isIsolated()) return home;
    return toAccount(owner === undefined ? undefined : { accessKeyId: owner, account });
  };
  return {
    accountOfListed,
    ownerOf: (info) => isIsolated() ? accountOfListed(info) : info.owner,
    knownAccount(bucket) {
      if (!isIsolated()) return home;
      const owner = store.knownOwner(bucket);
      if (owner !== undefined) return toAccount(owner);
      const known = kept.get(bucket);
      const isCurrent = known !== undefined && monotonic() - known.at < LEASE;
      return isCurrent ? toAccount(known.owner) : undefined;
    },
    async accountOf(bucket: BucketName) {
      if (!isIsolated()) return home;
      const at = monotonic();
      const owner = await store.readOwner(bucket);
      kept.set(bucket, { owner, at }, 1);
      return toAccount(owner);
    },
  };
}
