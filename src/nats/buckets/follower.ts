/**
 * A follower follows one bucket for all parts of the gateway that need its changes, with one feed and so one consumer.
 *
 * A bucket's subscribers share its follower, which lives until the last of them leaves. It creates no consumer before one
 * of them needs to be brought up to date. A stream that was created again, lost its last messages or was restored to an
 * older state is another stream: all subscribers begin again, as they do when another one joins.
 * @module
 */

import { isS3Error, S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import type { Delivery } from "../jetstream/messages.ts";
import { Feed, type FeedContext } from "./feed.ts";
import { History, type Mark } from "./history.ts";
import type { StreamReading, Streams } from "./streams.ts";
import type { Subscriber } from "./subscriber.ts";

/** Fields of a context that followers need. */
export type FollowersContext = FeedContext & { readonly streams: Streams };

/** Progress of a subscriber. */
type Progress = {
  filters: readonly string[];
  /** Last sequence that its state included when it began. */
  position: number;
};

/** Milliseconds that a caller waits while a bucket is loaded: less than clients wait for a response. */
const LOAD_TIMEOUT = 45_000;
/** Milliseconds that a caller waits for a barrier in a loaded bucket, and the number of barriers it tries. */
const BARRIER_TIMEOUT = 4000;
const BARRIER_ATTEMPTS = 3;

/** A bucket's stream, and whether the feed follows it: it holds all messages that were applied before it was read. */
type Reading = { readonly stream: StreamReading; readonly isFollowed: boolean };

/** The followers of all buckets that have subscribers. */
export class Followers {
  readonly #context: FollowersContext;
  readonly #followers = new Map<BucketName, Follower>();

  constructor(context: FollowersContext) {
    this.#context = context;
  }

  /** Joins the follower of a bucket. The first subscriber creates it. */
  subscribe(bucket: BucketName, subscriber: Subscriber): Follower {
    const follower = this.#followers.get(bucket) ?? new Follower(this.#context, bucket);
    this.#followers.set(bucket, follower);
    follower.add(subscriber);
    return follower;
  }

  /** Leaves the follower of a bucket. The last subscriber ends it. */
  unsubscribe(bucket: BucketName, subscriber: Subscriber): void {
    if (this.#followers.get(bucket)?.remove(subscriber) === 0) this.#followers.delete(bucket);
  }
}

/** Follows one bucket for its subscribers. */
export class Follower {
  readonly #context: FollowersContext;
  readonly #bucket: BucketName;
  readonly #subscribers = new Map<Subscriber, Progress>();
  #feed: Feed | undefined;
  /** When the followed stream was created, and whether it captured our records when the consumer was made. */
  #created = 0;
  #isPrepared = false;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(context: FollowersContext, bucket: BucketName) {
    this.#context = context;
    this.#bucket = bucket;
  }

  /** Last sequence that the subscribers have applied. */
  get position(): number {
    return this.#feed?.position ?? 0;
  }

  /** Number of barriers that were delivered since the subscribers began. */
  get barriers(): number {
    return this.#feed?.barriers ?? 0;
  }

  /** Number of messages that JetStream has and the subscribers have not applied, as far as the feed knows. */
  get pending(): number {
    return this.#feed?.pending ?? 0;
  }

  /** Notes that a subscriber applied a change that came without a message. */
  forgetMarks(): void {
    this.#feed?.history.forget();
  }

  /** Finds the sequence up to which the stream's history is the one that was applied, see `History.find()`. */
  async findProved(stream: string): Promise<number | undefined> {
    return await this.#feed?.history.find(this.#context.requests, stream);
  }

  /** Adds a subscriber. All of them begin again. */
  add(subscriber: Subscriber): void {
    this.#subscribers.set(subscriber, { filters: [], position: 0 });
    this.#end();
  }

  /** Removes a subscriber. Returns the number of those that are left. */
  remove(subscriber: Subscriber): number {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size === 0) this.#end();
    return this.#subscribers.size;
  }

  /**
   * Lets the subscribers apply every change that was acknowledged before the call.
   *
   * @throws S3Error `NoSuchBucket`; `ServiceUnavailable` if it takes too long
   */
  bringUpToDate(): Promise<void> {
    // The running update began before this call. All calls that come during it share the next one.
    this.#next ??= this.#running.catch(() => {}).then(() => {
      this.#next = undefined;
      this.#running = this.#update();
      return this.#running;
    });
    return this.#next;
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
      const stream = await this.#catchUp(await this.#read());
      if (stream !== undefined) {
        if (await this.#complete(stream)) return;
        await this.#begin(stream, false);
      }
      if (attempt === BARRIER_ATTEMPTS) {
        throw new S3Error("ServiceUnavailable", { BucketName: this.#bucket });
      }
    }
  }

  /** Applies every change that was acknowledged before the call. Returns the stream, or undefined if that failed. */
  async #catchUp({ stream, isFollowed }: Reading): Promise<StreamReading | undefined> {
    const feed = await this.#feedOf(stream, isFollowed);
    const { isLoaded } = feed;
    if (feed.isAt(stream)) return stream;
    const reached = await feed.reach(stream, isLoaded ? BARRIER_TIMEOUT : LOAD_TIMEOUT);
    if (reached === "late" && !isLoaded) {
      throw new S3Error("ServiceUnavailable", { BucketName: this.#bucket }, {
        message: "The bucket's keys are being read, which takes a while. Please try again.",
      });
    }
    if (reached === "restored") await this.#begin(stream, false);
    if (reached !== "all") return undefined;
    // The barrier may have gone to a bucket that was made anew.
    const after = await this.#read();
    return after.isFollowed ? after.stream : undefined;
  }

  async #complete(stream: StreamReading): Promise<boolean> {
    for (const subscriber of this.#subscribers.keys()) {
      if (!await subscriber.complete(stream)) return false;
    }
    return true;
  }

  async #feedOf(stream: StreamReading, isFollowed: boolean): Promise<Feed> {
    if (this.#feed === undefined) return await this.#begin(stream, true);
    if (!isFollowed) return await this.#begin(stream, false);
    if (stream.prepared === this.#isPrepared) return this.#feed;
    const { position, history } = this.#feed;
    return this.#follow(stream, position, history);
  }

  async #read(): Promise<Reading> {
    const { position } = this; // before the reading, because later messages may overtake its answer
    const stream = await this.#context.streams.read(this.#bucket);
    const isSame = this.#feed !== undefined && stream.created.getTime() === this.#created;
    // A leader may apply messages later than the replica whose consumer delivered them.
    return { stream, isFollowed: isSame && (!stream.single || stream.lastSequence >= position) };
  }

  async #begin(stream: StreamReading, usesSaved: boolean): Promise<Feed> {
    this.#end();
    let mark: Mark | undefined;
    // This includes subscribers that join meanwhile.
    for (const [subscriber, progress] of this.#subscribers) {
      const beginning = await subscriber.begin(stream, usesSaved);
      progress.position = beginning.sequence;
      if ((beginning.mark?.sequence ?? 0) > (mark?.sequence ?? 0)) mark = beginning.mark;
    }
    const positions = [...this.#subscribers.values()].map(({ position }) => position);
    if (positions.length === 0) {
      throw new S3Error("ServiceUnavailable", { BucketName: this.#bucket });
    }
    this.#created = stream.created.getTime();
    return this.#follow(stream, Math.min(...positions), new History(mark));
  }

  #follow(stream: StreamReading, position: number, history: History): Feed {
    this.#end();
    this.#isPrepared = stream.prepared;
    for (const [subscriber, progress] of this.#subscribers) {
      progress.filters = subscriber.filters(stream);
    }
    const all = [...this.#subscribers.values()].flatMap((progress) => progress.filters);
    const filters = [...new Set(all)];
    this.#feed = new Feed(this.#context, stream, {
      filters,
      asked: filters.filter((filter) => filter.endsWith(">")),
      position,
      history,
      apply: (delivery) => this.#apply(stream, delivery),
    });
    return this.#feed;
  }

  #apply(stream: StreamReading, delivery: Delivery): void {
    for (const [subscriber, { filters, position }] of this.#subscribers) {
      const isNew = delivery.sequence > position;
      if (isNew && matches(filters, delivery.subject)) subscriber.apply(stream, delivery);
    }
  }

  #end(): void {
    this.#feed?.[Symbol.dispose]();
    this.#feed = undefined;
  }
}

function matches(filters: readonly string[], subject: string): boolean {
  for (const filter of filters) {
    if (filter === subject) return true;
    if (filter.endsWith(">") && subject.startsWith(filter.slice(0, -1))) return true;
  }
  return false;
}
