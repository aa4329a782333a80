/**
 * The indexes of the buckets that clients list: created on first use, dropped when idle, bounded in memory.
 * @module
 */

import { isS3Error, S3Error } from "../../s3/errors.ts";
import { listPage } from "../../s3/listing.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import { listVersionPage } from "../../s3/version_listing.ts";
import type { ListPage, ListQuery, VersionPage, VersionQuery } from "../../store/listings.ts";
import type { IndexStats } from "../../telemetry/metrics/store.ts";
import { monotonic, startTicker, stopTicker, type Timer } from "../../world/world.ts";
import { countVersions, type VersionCount } from "./count_versions.ts";
import { type IndexContext, KeyIndex } from "./key_index.ts";
import type { ListedVersions } from "./listed_versions.ts";

/** Settings of indexes. */
export type IndexSettings = {
  /** Bytes of memory for all indexes; 1 GiB by default. */
  readonly indexMemory?: number | undefined;
  /** Milliseconds after which an unused index is dropped; ten minutes by default. */
  readonly indexIdle?: number | undefined;
  /** Number of keys from which on an index is saved in its bucket; 50,000 by default. */
  readonly indexSavedFrom?: number | undefined;
};

/** Called with the milliseconds that a listing waited for its index, whether it got it or not. */
export type IndexObserver = (milliseconds: number) => void;

const MEMORY = 1024 ** 3;
const IDLE = 600_000;
/** So many keys take a second to read. */
const SAVED_FROM = 50_000;
/** Number of indexes, each of which has a consumer. */
const MAX_INDEXES = 256;
/** Milliseconds for which a bucket that did not fit is refused at once. */
const REFUSAL = 30_000;
const MIB = 1024 * 1024;

type Entry = {
  readonly index: KeyIndex;
  /** When it was last used, in monotonic time. */
  used: number;
  /** Number of requests that use it now. */
  users: number;
};

/** The indexes of the buckets that were listed. Disposing ends them. */
export class KeyIndexes implements Disposable {
  readonly #context: IndexContext;
  readonly #memory: number;
  readonly #idle: number;
  readonly #savedFrom: number;
  readonly #observe: IndexObserver | undefined;
  readonly #entries = new Map<BucketName, Entry>();
  /** Buckets that did not fit, and until when they are refused. */
  readonly #refused = new Map<BucketName, number>();
  #timer: Timer | undefined;

  constructor(context: IndexContext, settings: IndexSettings, observe?: IndexObserver) {
    this.#context = context;
    this.#memory = settings.indexMemory ?? MEMORY;
    this.#idle = settings.indexIdle ?? IDLE;
    this.#savedFrom = settings.indexSavedFrom ?? SAVED_FROM;
    this.#observe = observe;
  }

  /** The sizes of all indexes. */
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
   * Lists the keys of a bucket, with every change that was acknowledged before the call.
   *
   * @throws S3Error `NoSuchBucket`; `ServiceUnavailable` if they do not fit into memory, or take too long to read
   */
  async list(bucket: BucketName, query: ListQuery): Promise<ListPage> {
    const { keys } = await this.#bringUpToDate(bucket);
    const { entries: objects, commonPrefixes, next } = listPage(keys, query);
    return { objects, commonPrefixes, next };
  }

  /**
   * Lists the versions of a bucket in the same way.
   *
   * @throws S3Error as {@linkcode list}; `InvalidArgument` for an `afterVersion` that is no position
   */
  async listVersions(bucket: BucketName, query: VersionQuery): Promise<VersionPage> {
    const { versions } = await this.#bringUpToDate(bucket);
    return versionPage(versions, query);
  }

  /**
   * Counts the keys of a bucket, with every change that was acknowledged before the call, and tells whether one is among
   * them.
   *
   * @throws S3Error as {@linkcode list}
   */
  async count(
    bucket: BucketName,
    key?: ObjectKey,
  ): Promise<{ readonly count: number; readonly hasKey: boolean }> {
    const { size, keys } = await this.#bringUpToDate(bucket);
    return { count: size, hasKey: key !== undefined && keys.has(key) };
  }

  /**
   * Counts the objects, the noncurrent versions and the delete markers of a bucket, and their bytes. It reads all of them, and lets other work run in between, so changes that come meanwhile may be missing.
   *
   * @throws S3Error as {@linkcode list}
   */
  async countVersions(bucket: BucketName): Promise<VersionCount> {
    const { versions } = await this.#bringUpToDate(bucket);
    return await countVersions((query) => versionPage(versions, query));
  }

  /** Makes the next listing read a key again, because it was found missing although no message announced it. */
  doubt(bucket: BucketName, key: ObjectKey): void {
    this.#entries.get(bucket)?.index.doubt(key);
  }

  [Symbol.dispose](): void {
    for (const bucket of [...this.#entries.keys()]) this.#drop(bucket);
  }

  async #bringUpToDate(bucket: BucketName): Promise<KeyIndex> {
    if ((this.#refused.get(bucket) ?? 0) > monotonic()) throw this.#tooLarge(bucket);
    const entry = this.#entries.get(bucket) ?? this.#add(bucket);
    const began = monotonic();
    entry.users++;
    try {
      await entry.index.bringUpToDate();
      return entry.index;
    } catch (cause) {
      if (this.#refused.has(bucket) && !this.#entries.has(bucket)) throw this.#tooLarge(bucket);
      if (isS3Error(cause, "NoSuchBucket")) this.#drop(bucket);
      throw cause;
    } finally {
      entry.used = monotonic();
      entry.users--;
      this.#observe?.(entry.used - began);
    }
  }

  #add(bucket: BucketName): Entry {
    if (this.#entries.size >= MAX_INDEXES) this.#dropLeastUsed(bucket);
    this.#refused.delete(bucket);
    const index = new KeyIndex(this.#context, bucket, {
      limit: () => this.#limit(bucket),
      memory: this.#memory,
      savedFrom: this.#savedFrom,
    });
    const entry = { index, used: monotonic(), users: 0 };
    this.#entries.set(bucket, entry);
    this.#timer ??= startTicker(this.#idle / 4, () => this.#dropIdle());
    return entry;
  }

  #drop(bucket: BucketName): void {
    this.#entries.get(bucket)?.index[Symbol.dispose]();
    this.#entries.delete(bucket);
    if (this.#entries.size > 0) return;
    stopTicker(this.#timer);
    this.#timer = undefined;
  }

  #dropIdle(): void {
    const since = monotonic() - this.#idle;
    for (const [bucket, { used, users }] of this.#entries) {
      if (users === 0 && used < since) this.#drop(bucket);
    }
  }

  /** Drops the index that was used longest ago, but not that of one bucket. Returns false if there is none to drop. */
  #dropLeastUsed(except: BucketName): boolean {
    const [oldest] = [...this.#entries]
      .filter(([bucket, { users }]) => bucket !== except && users === 0)
      .sort(([, a], [, b]) => a.used - b.used);
    if (oldest === undefined) return false;
    this.#drop(oldest[0]);
    return true;
  }

  /** Drops other indexes while all take too much memory, and finally the one that grows. */
  #limit(bucket: BucketName): void {
    const bytes = (): number =>
      [...this.#entries.values()].reduce((sum, { index }) => sum + index.bytes, 0);
    while (bytes() > this.#memory) {
      if (this.#dropLeastUsed(bucket)) continue;
      const keys = this.#entries.get(bucket)?.index.size ?? 0;
      this.#context.log.warn("bucket has too many keys to be listed", { bucket, keys });
      this.#refused.set(bucket, monotonic() + REFUSAL);
      this.#drop(bucket);
      return;
    }
  }

  #tooLarge(bucket: BucketName): S3Error {
    const mib = Math.round(this.#memory / MIB);
    return new S3Error("ServiceUnavailable", { BucketName: bucket }, {
      message: `The bucket has more keys than this gateway can list in the ${mib} MiB that ` +
        "--index.memory allows it.",
    });
  }
}

function versionPage(index: ListedVersions, query: VersionQuery): VersionPage {
  const { entries, commonPrefixes, next } = listVersionPage(index, query);
  const versions = entries.map(({ ordinal: _, ...version }) => version);
  return { versions, commonPrefixes, next };
}
