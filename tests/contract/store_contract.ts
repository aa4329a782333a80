/**
 * The promises of every store, as tests. `src/store/store.ts` has the promises in words.
 * @module
 */

import { asOfContract } from "./as_of.ts";
import { bucketContract } from "./buckets.ts";
import { checksumContract } from "./checksums.ts";
import { conditionContract } from "./conditions.ts";
import { failedWriteContract } from "./failed_writes.ts";
import { bucket, MIN_PART_SIZE, OWNER } from "./inputs.ts";
import { listingContract } from "./listings.ts";
import { lockChangeContract } from "./lock_changes.ts";
import { nullVersionContract } from "./null_versions.ts";
import { objectLockContract } from "./object_lock.ts";
import { objectContract } from "./objects.ts";
import { documentContract } from "./documents.ts";
import { renameContract } from "./renames.ts";
import type { CreateStore, Test } from "./store_under_test.ts";
import { tagContract } from "./tags.ts";
import { uploadContract } from "./uploads.ts";
import { versionConditionContract } from "./version_conditions.ts";
import { versionListingContract } from "./version_listings.ts";
import { versionPropertyContract } from "./version_properties.ts";
import { versionRemovalContract } from "./version_removals.ts";
import { versionContract } from "./versions.ts";

/**
 * Registers the whole suite under the name of a store.
 *
 * @param options.versions The store keeps versions and locks.
 * @param options.recordsOnly Registers only what depends on the gateway's records: buckets, documents, renames and
 * uploads.
 */
export function storeContract(
  name: string,
  createStore: CreateStore,
  { versions = false, recordsOnly = false }: {
    readonly versions?: boolean;
    readonly recordsOnly?: boolean;
  } = {},
): void {
  const test: Test = (behaviour, run, { now } = {}) => {
    Deno.test(`${name}: ${behaviour}`, async () => {
      await using given = await createStore({ minPartSize: MIN_PART_SIZE, now });
      await given.store.createBucket(bucket, OWNER);
      await run(given);
    });
  };

  bucketContract(test);
  documentContract(test);
  renameContract(test);
  uploadContract(test);
  if (recordsOnly) return;
  objectContract(test);
  tagContract(test);
  failedWriteContract(test);
  conditionContract(test);
  listingContract(test);
  checksumContract(test);
  if (!versions) return;
  versionContract(test);
  versionRemovalContract(test);
  versionPropertyContract(test);
  nullVersionContract(test);
  versionConditionContract(test);
  versionListingContract(test);
  objectLockContract(test);
  lockChangeContract(test);
  asOfContract(test);
}
