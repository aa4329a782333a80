/**
 * The sorted keys of a bucket in memory.
 *
 * An index is brought up to date before each answer: the stream's last sequence tells whether anything changed, and
 * what did is read from where the index ends. Nothing is listed that was not checked to be current.
 * @module
 */

import type { BucketName, ObjectKey } from "../s3/names.ts";
import type { SortedKeys } from "../s3/listing.ts";
import type { ListedObject } from "../store/store.ts";
import type { Context } from "./context.ts";
import { readCurrent } from "./commit.ts";
import { KeyTable } from "./key_table.ts";
import { keyOfSubject, type StoreName, subjectsOf } from "./layout.ts";
import { parseInfo } from "./object_info.ts";
import { LARGE, readBatches } from "./subject_scan.ts";

/** The indexes of the buckets that were listed. */
export class KeyIndexes {
  readonly #context: Context;
  readonly #indexes = new Map<BucketName, KeyIndex>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** The keys of a bucket, with every change that was acknowledged before the call. Throws `NoSuchBucket`. */
  async current(bucket: BucketName): Promise<SortedKeys<ListedObject>> {
    return (await this.#bringUpToDate(bucket)).keys;
  }

  /** Whether a bucket holds nothing, not even what no key names, as it is now. Throws `NoSuchBucket`. */
  async isEmpty(bucket: BucketName): Promise<boolean> {
    return (await this.#bringUpToDate(bucket)).isEmpty;
  }

  async #bringUpToDate(bucket: BucketName): Promise<KeyIndex> {
    const index = this.#indexes.get(bucket) ?? new KeyIndex();
    this.#indexes.set(bucket, index);
    try {
      await index.bringUpToDate(this.#context, bucket);
      return index;
    } catch (cause) {
      this.#indexes.delete(bucket);
      throw cause;
    }
  }

  /** Looks at a key again before the next listing: it was seen to be gone, and no message said so. */
  doubt(bucket: BucketName, key: ObjectKey): void {
    this.#indexes.get(bucket)?.doubt(key);
  }
}

class KeyIndex {
  readonly #objects = new KeyTable();
  /** Subjects that hold object info and are no key: too long, or not UTF-8. */
  readonly #nameless = new Set<string>();
  readonly #doubted = new Set<ObjectKey>();
  #stream = "";
  #sequence = 0;
  #updating: Promise<unknown> = Promise.resolve();

  async bringUpToDate(context: Context, bucket: BucketName): Promise<void> {
    // One after the other: a list that begins now must not rely on a look that began earlier.
    const update = this.#updating.then(() => this.#update(context, bucket));
    this.#updating = update.catch(() => {});
    await update;
  }

  get keys(): SortedKeys<ListedObject> {
    return this.#objects;
  }

  get isEmpty(): boolean {
    return this.#objects.size + this.#nameless.size === 0;
  }

  /** Looks at a key again before the next listing. */
  doubt(key: ObjectKey): void {
    if (this.#objects.has(key)) this.#doubted.add(key);
  }

  async #update(context: Context, bucket: BucketName): Promise<void> {
    const stream = await context.streams.read(bucket);
    const identity = stream.created.toISOString();
    if (identity !== this.#stream || stream.lastSequence < this.#sequence) {
      this.#objects.clear();
      this.#nameless.clear();
      this.#doubted.clear();
      this.#stream = identity;
      this.#sequence = 0;
    }
    if (stream.lastSequence !== this.#sequence) {
      const filter = subjectsOf(stream.store).infos;
      const from = this.#sequence + 1;
      for await (const batch of readBatches(context, stream, filter, from, LARGE)) {
        for (const { subject, data, time } of batch) {
          this.#apply(stream.store, subject, data, time);
        }
      }
      // No further than what was there before the look: of what was written during it, only some was seen.
      this.#sequence = stream.lastSequence;
    }
    for (const key of this.#doubted) {
      const { parsed } = await readCurrent(context, stream, key);
      if (parsed.kind === "absent") this.#objects.delete(key);
      this.#doubted.delete(key);
    }
  }

  #apply(store: StoreName, subject: string, data: Uint8Array, time: Date): void {
    const key = keyOfSubject(store, subject);
    if (key === undefined) {
      // Whatever the key: only whether there is an object.
      const { kind } = parseInfo("" as ObjectKey, data, time);
      if (kind === "absent") this.#nameless.delete(subject);
      else this.#nameless.add(subject);
      return;
    }
    const parsed = parseInfo(key, data, time);
    if (parsed.kind === "absent") {
      this.#objects.delete(key);
    } else if (parsed.kind === "unreadable") {
      this.#objects.set(unreadable(key, time));
    } else {
      const { size, etag, modified, owner, checksum, properties } = parsed.object.info;
      const { storageClass } = properties.system;
      this.#objects.set({ key, size, etag, modified, owner, checksum, storageClass });
    }
  }
}

/** An object that cannot be read is shown all the same, so that it can be deleted. */
function unreadable(key: ObjectKey, modified: Date): ListedObject {
  return {
    key,
    size: 0,
    etag: `${"0".repeat(32)}-0`,
    modified,
    owner: undefined,
    checksum: undefined,
    storageClass: undefined,
  };
}
