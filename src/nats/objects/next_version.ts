/**
 * Finds the version that becomes current when the current one is removed.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import { NULL_VERSION, ordinalOf, type VersionId } from "../../s3/version_id.ts";
import type { BucketStream } from "../buckets/streams.ts";
import type { ReplaceNeeds } from "./replacement.ts";
import {
  listVersionIds,
  type Noncurrent,
  noncurrentOf,
  readVersionMessage,
} from "./version_records.ts";
/**
 * Finds the version with the highest ordinal, apart from one; undefined if there is none that can be read.
 *
 * Records above the ordinal of the current version are those of removed versions, so they are read last: otherwise every
 * removal of a current version would read all that were removed before.
 *
 * @param held The ordinal of the current version; 0 if it states none.
 */
export async function findNext(
  needs: ReplaceNeeds,
  stream: BucketStream,
  key: ObjectKey,
  except: VersionId,
  held: number,
): Promise<Noncurrent | undefined> {
  const ids = (await listVersionIds(needs, stream, key)).filter((id) => id !== except);
  const read = async (id: VersionId): Promise<Noncurrent | undefined> => {
    const message = await readVersionMessage(needs, stream, key, id);
    const version = noncurrentOf(stream, key, id, message);
    return version?.info.raw === undefined ? undefined : version;
  };
  const hidden = ids.includes(NULL_VERSION) ? await read(NULL_VERSION) : undefined;
  const stated = ids.filter((id) => id !== NULL_VERSION);
  const isAbove = (id: VersionId): boolean => held > 0 && (ordinalOf(id) ?? 0) > held;
  const isRemoved = Map.groupBy(stated, isAbove);
  for (const some of [isRemoved.get(false) ?? [], isRemoved.get(true) ?? []]) {
    // The others in their order are older.
    const best = await firstOf(some, read);
    if (best !== undefined) {
      return hidden !== undefined && hidden.record.ordinal > best.record.ordinal ? hidden : best;
    }
  }
  return hidden;
}

/** Most records that are read at a time. */
const READS = 32;

/** Returns the first result that is not undefined. Reads one, then more and more at a time. */
async function firstOf<T>(
  ids: readonly VersionId[],
  read: (id: VersionId) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (let i = 0, count = 1; i < ids.length; i += count, count = Math.min(count * 2, READS)) {
    const found = await Promise.all(ids.slice(i, i + count).map(read));
    const first = found.find((it) => it !== undefined);
    if (first !== undefined) return first;
  }
  return undefined;
}
