/**
 * The sorted keys of a bucket in memory, fed by a consumer.
 *
 * Before each answer the index is brought up to date: it has applied every change that was acknowledged before the
 * request. With one copy the stream's last sequence tells whether anything changed; otherwise the feed is asked.
 *
 * Some changes come without a message: a purge by hand, a native rename, messages that expire. What hints at one puts a key
 * in doubt, and doubted keys are looked at before they are listed.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import { isS3Error, S3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import { monotonic } from "../../world/world.ts";
import type { BucketsContext } from "../buckets/context.ts";
import { Feed } from "../buckets/feed.ts";
import type { BucketStream } from "../buckets/streams.ts";
import type { Delivery } from "../jetstream/messages.ts";
import { parseListed } from "../layout/object_info.ts";
import { keyOfSubject, records, subjectsOf } from "../layout/subjects.ts";
import { readCurrent } from "../objects/commit.ts";
import { readIndex, saveIndex } from "./key_snapshot.ts";
import { hashNuid, KeyTable } from "./key_table.ts";

/** Milliseconds that a request waits for an index that is loaded: less than clients wait for an answer. */
const LOAD_PATIENCE = 45_000;
/** Milliseconds that it waits for a mark in an index that is loaded, and how often it sets a new one. */
const MARK_PATIENCE = 4000;
const MARK_ATTEMPTS = 3;
/** Milliseconds in which a native client that renames an object purges the old name. */
const RENAME_TIME = 10_000;
/** Doubted keys that are looked at together. */
const CONCURRENCY = 64;
/** With more doubted keys than this it is cheaper to read all of them anew. */
const MOST_DOUBTS = 1000;
/** Header of what a gateway writes, and a native client does not: its writes compare and set. */
const COMPARED = "Nats-Expected-Last-Subject-Sequence";
/** Nuids of native clients that are remembered until somebody lists. */
const MOST_FOREIGN = 10_000;
/** Keys that are applied between two looks at the memory. */
const LIMIT_INTERVAL = 256;
/** Milliseconds between two attempts to save the index, and the share of the keys that must have changed. */
const SAVE_INTERVAL = 300_000;
const SAVE_SHARE = 0.1;

/** How an index is kept. */
export type KeyIndexOptions = {
  /** Called when memory has grown; disposes what does not fit. */
  readonly limit: () => void;
  /** Bytes that the index cannot have more of. */
  readonly memory: number;
  /** An index of so many keys is saved in its bucket. */
  readonly savedFrom: number;
};

/** The keys of one bucket. Disposing ends the deliveries. */
export class KeyIndex implements Disposable {
  readonly #context: BucketsContext;
  readonly #bucket: BucketName;
  readonly #options: KeyIndexOptions;
  #table = new KeyTable();
  /** Subjects that hold object info and are no key: too long, or not UTF-8. */
  #nameless = new Set<string>();
  /** Keys to look at again, and until when (in monotonic time) a single look is not enough. */
  #doubted = new Map<ObjectKey, number>();
  /** Nuids of object info that no gateway wrote: another key may have had them. */
  #foreign = new Map<number, ObjectKey>();
  #feed: Feed | undefined;
  /** When the stream was created that the index is of, and whether it took our records when the consumer was made. */
  #created = 0;
  #isPrepared = false;
  /** The stream's last sequence when loading began. */
  #loadsTo = 0;
  /** No key's message is before this sequence. */
  #least = 0;
  /** When all object info was read, by nats-server's clock. */
  #read = new Date(0);
  /** Changes since the index was saved, by whichever gateway, and when this one tried last. */
  #changes = 0;
  #tried = -Infinity;
  #applied = 0;
  #isDisposed = false;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(context: BucketsContext, bucket: BucketName, options: KeyIndexOptions) {
    this.#context = context;
    this.#bucket = bucket;
    this.#options = options;
  }

  /** The keys, as of when the index was last brought up to date or later. */
  get keys(): KeyTable {
    return this.#table;
  }

  /** Number of keys, those that cannot be listed included. */
  get size(): number {
    return this.#table.size + this.#nameless.size;
  }

  /** Messages that JetStream has for it and that it has not applied, as far as it knows. */
  get pending(): number {
    return this.#feed?.pending ?? 0;
  }

  /** Bytes of memory that it takes, about. */
  get bytes(): number {
    return this.#table.bytes + (this.#nameless.size + this.#doubted.size) * 500 +
      this.#foreign.size * 100;
  }

  /**
   * Applies every change that was acknowledged before the call.
   *
   * @throws S3Error `NoSuchBucket`; `ServiceUnavailable` while it takes too long
   */
  bringUpToDate(): Promise<void> {
    // What runs already began earlier than this call: the next one is shared by all who come meanwhile.
    this.#next ??= this.#running.catch(() => {}).then(() => {
      this.#next = undefined;
      this.#running = this.#update();
      return this.#running;
    });
    return this.#next;
  }

  /** Looks at a key again before the next listing: it was seen to be gone, and no message said so. */
  doubt(key: ObjectKey): void {
    if (this.#table.has(key) && !this.#doubted.has(key)) this.#doubted.set(key, 0);
  }

  /** Looks at all keys again before the next listing. */
  doubtAll(): void {
    for (const { key } of { [Symbol.iterator]: () => this.#table.from("") }) this.doubt(key);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#feed?.[Symbol.dispose]();
    this.#feed = undefined;
  }

  async #update(): Promise<void> {
    try {
      await this.#tryUpdate();
    } catch (cause) {
      // Tells a bucket that is gone from JetStream that is down.
      if (!isS3Error(cause)) await this.#context.streams.read(this.#bucket);
      throw cause;
    }
  }

  async #tryUpdate(): Promise<void> {
    for (let attempt = 1;; attempt++) {
      const stream = await this.#catchUp(await this.#context.streams.read(this.#bucket));
      if (stream !== undefined) {
        if (await this.#dropUnsaid(stream)) {
          this.#saveIfChanged(stream);
          return;
        }
        await this.#start(stream, false); // too much is gone: read all of it anew
      }
      if (attempt === MARK_ATTEMPTS) {
        throw new S3Error("ServiceUnavailable", { BucketName: this.#bucket });
      }
    }
  }

  /** Applies what was acknowledged before the call. Returns the stream, or undefined where that did not come about. */
  async #catchUp(stream: BucketStream): Promise<BucketStream | undefined> {
    const feed = await this.#feedOf(stream);
    const { isLoaded } = feed;
    if (stream.single && isLoaded && stream.lastSequence === feed.position) return stream;
    const reached = await feed.reach(stream, isLoaded ? MARK_PATIENCE : LOAD_PATIENCE);
    if (reached === "late" && !isLoaded) {
      throw new S3Error("ServiceUnavailable", { BucketName: this.#bucket }, {
        message: "The bucket's keys are being read, which takes a while. Please try again.",
      });
    }
    if (reached === "restored") await this.#start(stream, false);
    if (reached !== "all") return undefined;
    // What took the mark may be a bucket that was made anew.
    const after = await this.#context.streams.read(this.#bucket);
    return this.#isOf(after) ? after : undefined;
  }

  async #feedOf(stream: BucketStream): Promise<Feed> {
    const { prepared } = stream;
    if (this.#feed === undefined || !this.#isOf(stream)) return await this.#start(stream, true);
    return prepared === this.#isPrepared ? this.#feed : this.#follow(stream, this.#feed.position);
  }

  #isOf({ created, single, lastSequence }: BucketStream): boolean {
    if (this.#feed === undefined || created.getTime() !== this.#created) return false;
    // A leader may apply later than the replica whose consumer delivered.
    return !single || lastSequence >= this.#feed.position;
  }

  /** Begins anew, with the saved index where there is one that may be used. */
  async #start(stream: BucketStream, usesSaved: boolean): Promise<Feed> {
    this.#feed?.[Symbol.dispose]();
    this.#feed = undefined;
    const saved = usesSaved
      ? await readIndex(this.#context, stream, this.#options.memory)
      : undefined;
    if (this.#isDisposed) throw new S3Error("ServiceUnavailable", { BucketName: this.#bucket });
    // Whoever is listing holds on to the table that was there.
    this.#table = saved?.table ?? new KeyTable();
    this.#nameless = new Set(saved?.nameless);
    this.#doubted = new Map();
    this.#foreign = new Map();
    this.#created = stream.created.getTime();
    this.#loadsTo = saved?.sequence ?? stream.lastSequence;
    this.#least = 0;
    this.#read = saved?.read ?? stream.at;
    this.#changes = 0;
    const feed = this.#follow(stream, saved?.sequence ?? 0);
    this.#options.limit();
    return feed;
  }

  /** Saves the index in the background. */
  #saveIfChanged(stream: BucketStream): void {
    if (this.#feed === undefined) return;
    const { size } = this.#table;
    const { savedFrom } = this.#options;
    if (!stream.prepared || stream.fenced || size < savedFrom) return;
    if (this.#changes < size * SAVE_SHARE) return;
    if (monotonic() - this.#tried < SAVE_INTERVAL) return;
    this.#tried = monotonic();
    const saved = {
      table: this.#table,
      sequence: this.#feed.position,
      read: this.#read,
      nameless: [...this.#nameless],
    };
    saveIndex(this.#context, stream, saved).catch((cause) => {
      this.#context.log.warn("index was not saved", { bucket: this.#bucket, cause });
    });
  }

  /** Applies what follows. */
  #follow(stream: BucketStream, position: number): Feed {
    const { store, prepared } = stream;
    this.#feed?.[Symbol.dispose]();
    this.#isPrepared = prepared;
    const { infos } = subjectsOf(store);
    this.#feed = new Feed(this.#context, stream, {
      filters: prepared ? [infos, records.snapshot(store)] : [infos],
      position,
      apply: (delivery) => this.#take(stream, delivery),
    });
    return this.#feed;
  }

  /** Looks at what may be gone without a message. Returns false when that is too much. */
  async #dropUnsaid(stream: BucketStream): Promise<boolean> {
    if (stream.firstSequence > this.#least) {
      // What was before is gone: expired, or purged from the stream's beginning.
      const { keys, least } = this.#table.before(stream.firstSequence);
      if (keys.length > MOST_DOUBTS) return false;
      for (const key of keys) this.doubt(key);
      this.#least = Math.max(least, stream.firstSequence);
    }
    this.#doubtRenamed();
    await mapAtOnce([...this.#doubted], CONCURRENCY, async ([key, until]) => {
      await this.#look(stream, key, until);
    });
    return true;
  }

  async #look(stream: BucketStream, key: ObjectKey, until: number): Promise<void> {
    const table = this.#table;
    const before = table.sequenceOf(key);
    const isLast = monotonic() >= until;
    const { parsed } = await readCurrent(this.#context, stream, key);
    // A message that came meanwhile knows better.
    const isGone = parsed.kind === "absent" && table.sequenceOf(key) === before;
    if (isGone) table.delete(key);
    if (isGone || isLast) this.#doubted.delete(key);
  }

  /** A native rename publishes the new name, and purges the old one without a word. */
  #doubtRenamed(): void {
    if (this.#foreign.size === 0) return;
    const until = monotonic() + RENAME_TIME;
    for (const { key, nuid } of this.#table.ofNuids(this.#foreign)) {
      if (this.#foreign.get(nuid) !== key) this.#doubted.set(key, until);
    }
    this.#foreign.clear();
  }

  #take({ store }: BucketStream, delivery: Delivery): void {
    const { subject, time, data } = delivery;
    if (subject === records.snapshot(store)) {
      this.#changes = 0;
      return;
    }
    this.#changes++;
    if (++this.#applied % LIMIT_INTERVAL === 0) this.#options.limit();
    const key = keyOfSubject(store, subject);
    if (key === undefined) this.#applyNameless(subject, data, new Date(time));
    else this.#apply(key, delivery);
  }

  #apply(key: ObjectKey, { sequence, data, time, headers }: Delivery): void {
    const { listed, nuid } = parseListed(data, new Date(time));
    if (listed === undefined) {
      this.#table.delete(key);
      return;
    }
    const hash = nuid === undefined ? 0 : hashNuid(nuid);
    this.#table.set({ key, ...listed, sequence, nuid: hash });
    // What was there before loading began has been renamed completely, or not at all.
    if (nuid !== undefined && sequence > this.#loadsTo && !headers().includes(COMPARED)) {
      this.#foreign.set(hash, key);
      if (this.#foreign.size > MOST_FOREIGN) this.#doubtRenamed();
    }
  }

  /** Whatever the key: only whether there is an object. */
  #applyNameless(subject: string, data: Uint8Array, time: Date): void {
    if (parseListed(data, time).listed === undefined) this.#nameless.delete(subject);
    else this.#nameless.add(subject);
  }
}
