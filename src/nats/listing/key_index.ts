/**
 * The sorted keys and versions of a bucket in memory, kept current by the bucket's follower.
 *
 * Before each listing the index is brought up to date: it then includes every change that was acknowledged before the
 * request.
 *
 * Some changes come without a message. A hint at such a change puts a key in doubt, and doubted keys are read again before
 * they are listed.
 * @module
 */

import type { BucketName, ObjectKey } from "../../s3/names.ts";
import { monotonic } from "../../world/world.ts";
import type { BucketsContext } from "../buckets/context.ts";
import type { Follower } from "../buckets/follower.ts";
import type { BucketStream, StreamReading } from "../buckets/streams.ts";
import type { Beginning, Subscriber } from "../buckets/subscriber.ts";
import type { Delivery } from "../jetstream/messages.ts";
import { parseListed } from "../layout/listed_info.ts";
import { isStray } from "../layout/stray_info.ts";
import {
  keyOfSubject,
  parseRecordSubject,
  records,
  subjectsOf,
  versionOfSubject,
} from "../layout/subjects.ts";
import { Doubts } from "./doubts.ts";
import { hashNuid } from "./key_packing.ts";
import { saveIndex } from "./key_snapshot.ts";
import { KeyTable } from "./key_table.ts";
import { ListedVersions } from "./listed_versions.ts";
import { readIndex } from "./saved_index.ts";
import { currentVersion, readRecord } from "./version_entry.ts";
import { VersionTable } from "./version_table.ts";

/** Fields of a context that an index needs. */
export type IndexContext = Pick<
  BucketsContext,
  "requests" | "streams" | "followers" | "budget" | "log" | "reportUnreadable"
>;

/** Header that a gateway writes and a native client does not: a gateway compares and sets. */
const COMPARED = "Nats-Expected-Last-Subject-Sequence";
/** Number of keys that are applied between two checks of the memory. */
const LIMIT_INTERVAL = 256;
/** Milliseconds between two attempts to save the index, and the share of the keys that must have changed. */
const SAVE_INTERVAL = 300_000;
const SAVE_SHARE = 0.1;

/** Options of an index. */
export type KeyIndexOptions = {
  /** Called when the index has grown; disposes indexes that do not fit into memory. */
  readonly limit: () => void;
  /** Largest size of the index in bytes. */
  readonly memory: number;
  /** Number of keys from which on the index is saved in its bucket. */
  readonly savedFrom: number;
};

/** The keys and versions of one bucket. Disposing ends the deliveries. */
export class KeyIndex implements Disposable {
  readonly #context: IndexContext;
  readonly #bucket: BucketName;
  readonly #options: KeyIndexOptions;
  readonly #subscriber: Subscriber;
  readonly #follower: Follower;
  #table = new KeyTable();
  #versions = new VersionTable();
  /** Subjects that hold object info of no listable key: too long, or not UTF-8. */
  #unlistable = new Set<string>();
  #doubts: Doubts;
  /** The stream's last sequence when loading began. */
  #loadsTo = 0;
  /** When all object info was read, by nats-server's clock. */
  #read = new Date(0);
  /** Number of changes since any gateway saved the index, and when this one last tried to. */
  #changes = 0;
  #tried = -Infinity;
  #applied = 0;
  #isDisposed = false;

  constructor(context: IndexContext, bucket: BucketName, options: KeyIndexOptions) {
    this.#context = context;
    this.#bucket = bucket;
    this.#options = options;
    this.#doubts = new Doubts(context, this.#table, this.#versions);
    this.#subscriber = {
      filters: ({ store, prepared }) => {
        const { infos } = subjectsOf(store);
        return prepared ? [infos, records.versions(store), records.snapshot(store)] : [infos];
      },
      begin: (stream, usesSaved) => this.#begin(stream, usesSaved),
      apply: (stream, delivery) => this.#take(stream, delivery),
      complete: async (stream) => {
        const areGone = await this.#doubts.recheck(stream, this.#follower.barriers);
        if (areGone === undefined) return false;
        if (areGone) this.#follower.forgetMarks();
        this.#saveIfChanged(stream);
        return true;
      },
    };
    this.#follower = context.followers.subscribe(bucket, this.#subscriber);
  }

  /** The keys, as of the last time when the index was brought up to date, or later. */
  get keys(): KeyTable {
    return this.#table;
  }

  /** The versions, as of the same moment. */
  get versions(): ListedVersions {
    return new ListedVersions(this.#table, this.#versions);
  }

  /** Number of keys, including those that cannot be listed. */
  get size(): number {
    return this.#table.size + this.#unlistable.size;
  }

  /** Number of messages that JetStream has and the index has not applied, as far as it knows. */
  get pending(): number {
    return this.#follower.pending;
  }

  /** Approximate size in bytes of memory. */
  get bytes(): number {
    const tables = this.#table.bytes + this.#versions.bytes;
    return tables + this.#unlistable.size * 500 + this.#doubts.bytes;
  }

  /**
   * Applies every change that was acknowledged before the call.
   *
   * @throws S3Error `NoSuchBucket`; `ServiceUnavailable` if it takes too long
   */
  bringUpToDate(): Promise<void> {
    return this.#follower.bringUpToDate();
  }

  /** Makes the next listing read a key again, because it was found missing although no message announced it. */
  doubt(key: ObjectKey): void {
    this.#doubts.add(key);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#context.followers.unsubscribe(this.#bucket, this.#subscriber);
  }

  /** Begins again, with the saved index if there is a usable one. */
  async #begin(stream: StreamReading, usesSaved: boolean): Promise<Beginning> {
    const saved = usesSaved
      ? await readIndex(this.#context, stream, this.#options.memory)
      : undefined;
    if (this.#isDisposed) return { sequence: 0 };
    // A listing in progress keeps the table that it began with.
    this.#table = saved?.table ?? new KeyTable();
    this.#unlistable = new Set(saved?.unlistable);
    this.#versions = saved?.versions ?? new VersionTable();
    this.#doubts = new Doubts(this.#context, this.#table, this.#versions);
    this.#loadsTo = saved?.sequence ?? stream.lastSequence;
    this.#read = saved?.read ?? stream.at;
    this.#changes = 0;
    this.#options.limit();
    return { sequence: saved?.sequence ?? 0, mark: saved?.mark };
  }

  /** Saves the index in the background. */
  #saveIfChanged(stream: StreamReading): void {
    if (this.#isDisposed) return;
    const size = this.#table.size + this.#versions.size;
    const { savedFrom } = this.#options;
    if (!stream.prepared || stream.fenced || size < savedFrom) return;
    if (this.#changes < size * SAVE_SHARE) return;
    if (monotonic() - this.#tried < SAVE_INTERVAL) return;
    this.#tried = monotonic();
    const table = this.#table;
    const index = {
      table,
      versions: this.#versions,
      sequence: this.#follower.position,
      read: this.#read,
      unlistable: [...this.#unlistable],
      findProved: async () => {
        const proved = await this.#follower.findProved(stream.stream);
        return this.#table === table && !this.#isDisposed ? proved : undefined;
      },
    };
    saveIndex(this.#context, stream, index).catch((cause) => {
      this.#context.log.warn("index was not saved", { bucket: this.#bucket, cause });
    });
  }

  #take(stream: BucketStream, delivery: Delivery): void {
    const { store } = stream;
    const { subject, time, data } = delivery;
    if (subject === records.snapshot(store)) {
      this.#changes = 0;
      return;
    }
    this.#changes++;
    if (++this.#applied % LIMIT_INTERVAL === 0) this.#options.limit();
    const key = keyOfSubject(store, subject);
    if (key !== undefined) this.#apply(stream, key, delivery);
    else if (parseRecordSubject(store, subject) !== undefined) this.#applyRecord(store, delivery);
    else this.#applyUnlistable(subject, data, new Date(time));
  }

  #apply({ since }: BucketStream, key: ObjectKey, delivery: Delivery): void {
    const { subject, sequence, data, time, headers } = delivery;
    const info = parseListed(data, new Date(time));
    const { nuid, problem, firstChunk } = info;
    const isElsewhere = isStray(key, nuid, firstChunk, { since, sequence });
    const listed = isElsewhere ? undefined : info.listed;
    if (problem !== undefined) {
      this.#context.reportUnreadable(this.#bucket, "info", subject, problem);
    }
    this.#versions.setCurrent(key, isElsewhere ? undefined : currentVersion(info, sequence));
    if (listed === undefined) {
      this.#table.delete(key);
      return;
    }
    const hash = nuid === undefined ? 0 : hashNuid(nuid);
    this.#table.set({ key, ...listed, sequence, nuid: hash });
    // An object from before loading began was renamed completely, or not at all.
    if (nuid !== undefined && sequence > this.#loadsTo && !headers().includes(COMPARED)) {
      this.#doubts.addForeign(hash, key);
    }
  }

  #applyRecord(store: BucketStream["store"], delivery: Delivery): void {
    const { subject } = delivery;
    const version = versionOfSubject(store, subject);
    const { record, problem } = version === undefined
      ? { problem: "its subject names no version" }
      : readRecord(version.id, delivery);
    if (problem !== undefined) {
      this.#context.reportUnreadable(this.#bucket, "version", subject, problem);
    }
    if (version !== undefined) this.#versions.setRecord(version.key, version.id, record);
  }

  /** Applies object info of a key that cannot be listed: only whether the object exists matters. */
  #applyUnlistable(subject: string, data: Uint8Array, time: Date): void {
    if (parseListed(data, time).listed === undefined) this.#unlistable.delete(subject);
    else this.#unlistable.add(subject);
  }
}
