/**
 * What a full bucket refused to record: delete markers, and chunk groups that belong into the trash.
 *
 * This gateway keeps it in memory and finishes it when it next empties the trash. If the gateway ends before, the sweep
 * frees the groups.
 * @module
 */

import type { BucketName, ObjectKey } from "../../s3/names.ts";
import { monotonic } from "../../world/world.ts";
import type { Nuid } from "../layout/nuid.ts";

/** Object info of a deleted object, as `commit.ts` publishes it. */
export type DeleteMarker = {
  readonly nuid: Nuid;
  readonly message: string;
  readonly ttl?: string | undefined;
};

/** The rest of a write in a full bucket. */
export type UnfinishedWork = {
  readonly key: ObjectKey;
  /** The delete marker of an object that was deleted by its sequence; undefined if it was published. */
  readonly marker: DeleteMarker | undefined;
  /** The group that nothing of this key names any more; undefined if it was freed or recorded. */
  readonly nuid: Nuid | undefined;
  /** When the group lost its name, by this process's clock. */
  readonly since: number;
};

/** The largest number of writes that are remembered. */
const MAX_WORK = 10_000;

/** Unfinished work by bucket. */
export class Unfinished {
  readonly #work = new Map<BucketName, UnfinishedWork[]>();
  #size = 0;

  /** Remembers work, unless nothing is left of it or there is too much of it. Returns whether something is left. */
  add(
    bucket: BucketName,
    { key, marker, nuid, since = monotonic() }: Omit<UnfinishedWork, "since"> & {
      readonly since?: number;
    },
  ): boolean {
    if (marker === undefined && nuid === undefined) return false;
    if (this.#size >= MAX_WORK) return true;
    this.#size++;
    const others = this.#work.get(bucket);
    const work = { key, marker, nuid, since };
    if (others === undefined) this.#work.set(bucket, [work]);
    else others.push(work);
    return true;
  }

  /** Returns and forgets the work in a bucket. The caller adds again what it could not finish. */
  take(bucket: BucketName): readonly UnfinishedWork[] {
    const work = this.#work.get(bucket) ?? [];
    this.#work.delete(bucket);
    this.#size -= work.length;
    return work;
  }
}
