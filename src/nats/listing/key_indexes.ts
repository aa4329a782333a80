/**
 * The indexes of the buckets that are listed: made on first use, dropped when nobody lists them, bounded in memory.
 * @module
 */

import { isS3Error, S3Error } from "../../s3/errors.ts";
import type { SortedKeys } from "../../s3/listing.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { ListedObject } from "../../store/store.ts";
import type { IndexStats } from "../../telemetry/metrics/store.ts";
import type { Context } from "../buckets/context.ts";
import { KeyIndex } from "./key_index.ts";
import { subjectsOf } from "../layout/subjects.ts";
import { parseListed } from "../layout/object_info.ts";

/** How indexes are kept. */
export type IndexSettings = {
  /** Bytes that all indexes together may take. */
  readonly memory: number;
  /** Milliseconds after which an index is dropped that nobody used. */
  readonly idle: number;
  /** An index of so many keys is saved in its bucket. */
  readonly savedFrom: number;
  /** Told of the milliseconds that a listing waited for its index, also in vain. */
  readonly indexed?: ((milliseconds: number) => void) | undefined;
};

/** Most indexes, each of which has a consumer. */
const MOST = 256;
/** Milliseconds for which a bucket that did not fit is refused at once. */
const REFUSAL = 30_000;
/** With no more keys than this each is looked at before a bucket counts as not empty. */
const FEW = 100;
const MIB = 1024 * 1024;

type Entry = {
  readonly index: KeyIndex;
  /** In `performance.now()`. */
  used: number;
  /** Requests that use it now. */
  users: number;
};

/** The indexes of the buckets that were listed. Disposing ends them. */
export class KeyIndexes implements Disposable {
  readonly #context: Context;
  readonly #settings: IndexSettings;
  readonly #entries = new Map<BucketName, Entry>();
  /** Buckets that did not fit, and until when they are refused. */
  readonly #refused = new Map<BucketName, number>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(context: Context, settings: IndexSettings) {
    this.#context = context;
    this.#settings = settings;
  }

  /** What all indexes hold. */
  get stats(): IndexStats {
    const indexes = [...this.#entries.values()].map(({ index }) => index);
    return {
      buckets: indexes.length,
      keys: indexes.reduce((sum, { size }) => sum + size, 0),
      bytes: indexes.reduce((sum, { bytes }) => sum + bytes, 0),
      pending: indexes.reduce((sum, { pending }) => sum + pending, 0),
    };
  }

  /**
   * The keys of a bucket, with every change that was acknowledged before the call.
   *
   * @throws S3Error `NoSuchBucket`; `ServiceUnavailable` where they do not fit into memory, or take too long to read
   */
  async current(bucket: BucketName): Promise<SortedKeys<ListedObject>> {
    return (await this.#bringUpToDate(bucket)).keys;
  }

  /** Whether a bucket holds nothing, not even what no key names, as it is now. Throws as {@linkcode current}. */
  async isEmpty(bucket: BucketName): Promise<boolean> {
    const { requests, streams } = this.#context;
    const { stream, store } = await streams.read(bucket);
    // Mostly the first message tells.
    const first = await requests.leaderGet(stream, {
      seq: 1,
      next_by_subj: subjectsOf(store).infos,
    });
    if (first === undefined) return true;
    if (parseListed(first.data, first.time).listed !== undefined) return false;
    const index = await this.#bringUpToDate(bucket);
    if (index.size === 0 || index.size > FEW) return index.size === 0;
    index.doubtAll();
    return (await this.#bringUpToDate(bucket)).size === 0;
  }

  /** Looks at a key again before the next listing: it was seen to be gone, and no message said so. */
  doubt(bucket: BucketName, key: ObjectKey): void {
    this.#entries.get(bucket)?.index.doubt(key);
  }

  [Symbol.dispose](): void {
    for (const bucket of [...this.#entries.keys()]) this.#drop(bucket);
  }

  async #bringUpToDate(bucket: BucketName): Promise<KeyIndex> {
    if ((this.#refused.get(bucket) ?? 0) > performance.now()) throw this.#tooLarge(bucket);
    const entry = this.#entries.get(bucket) ?? this.#add(bucket);
    const began = performance.now();
    entry.users++;
    try {
      await entry.index.bringUpToDate();
      return entry.index;
    } catch (cause) {
      if (this.#refused.has(bucket) && !this.#entries.has(bucket)) throw this.#tooLarge(bucket);
      if (isS3Error(cause, "NoSuchBucket")) this.#drop(bucket);
      throw cause;
    } finally {
      entry.used = performance.now();
      entry.users--;
      this.#settings.indexed?.(entry.used - began);
    }
  }

  #add(bucket: BucketName): Entry {
    if (this.#entries.size >= MOST) this.#dropLeastUsed(bucket);
    this.#refused.delete(bucket);
    const index = new KeyIndex(this.#context, bucket, {
      limit: () => this.#limit(bucket),
      memory: this.#settings.memory,
      savedFrom: this.#settings.savedFrom,
    });
    const entry = { index, used: performance.now(), users: 0 };
    this.#entries.set(bucket, entry);
    this.#timer ??= setInterval(() => this.#dropIdle(), this.#settings.idle / 4);
    return entry;
  }

  #drop(bucket: BucketName): void {
    this.#entries.get(bucket)?.index[Symbol.dispose]();
    this.#entries.delete(bucket);
    if (this.#entries.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #dropIdle(): void {
    const since = performance.now() - this.#settings.idle;
    for (const [bucket, { used, users }] of this.#entries) {
      if (users === 0 && used < since) this.#drop(bucket);
    }
  }

  /** Drops the index that was used longest ago, but not this one. Returns false where there is none. */
  #dropLeastUsed(but: BucketName): boolean {
    const [oldest] = [...this.#entries]
      .filter(([bucket, { users }]) => bucket !== but && users === 0)
      .sort(([, a], [, b]) => a.used - b.used);
    if (oldest === undefined) return false;
    this.#drop(oldest[0]);
    return true;
  }

  /** Drops other indexes while there is too much, and at last the one that grows. */
  #limit(bucket: BucketName): void {
    const bytes = (): number =>
      [...this.#entries.values()].reduce((sum, { index }) => sum + index.bytes, 0);
    while (bytes() > this.#settings.memory) {
      if (this.#dropLeastUsed(bucket)) continue;
      const keys = this.#entries.get(bucket)?.index.size ?? 0;
      this.#context.log.warn("bucket has too many keys to be listed", { bucket, keys });
      this.#refused.set(bucket, performance.now() + REFUSAL);
      this.#drop(bucket);
      return;
    }
  }

  #tooLarge(bucket: BucketName): S3Error {
    const mib = Math.round(this.#settings.memory / MIB);
    return new S3Error("ServiceUnavailable", { BucketName: bucket }, {
      message: `The bucket has more keys than this gateway can list in the ${mib} MiB that ` +
        "--index.memory allows it.",
    });
  }
}
