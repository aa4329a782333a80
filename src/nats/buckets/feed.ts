/**
 * A feed applies the messages of some subjects of a bucket's stream, and can tell when it has applied everything that was
 * acknowledged before a moment.
 *
 * For that it sets a barrier: it publishes a message to `S3.sync`. Replicas apply one log, so when the consumer has
 * delivered the barrier or a later message, it has delivered all earlier ones that still exist. Those that do not were
 * replaced, perhaps by messages behind the barrier, so the feed also waits until nothing was left to deliver. If nothing
 * can be published, because the bucket is full or native clients made it, the feed asks the leader for the messages behind
 * the last one. Each time it gets a consumer, it checks that the stream still has the history that it applied, see `history.ts`.
 * @module
 */

import type { ByteBudget } from "../../streams/byte_budget.ts";
import { JetStreamError, NoResponders, NotPermitted } from "../jetstream/errors.ts";
import type { Delivery, LeaderMessage } from "../jetstream/messages.ts";
import { OrderedConsumer } from "../jetstream/ordered_consumer.ts";
import type { Requests } from "../jetstream/requests.ts";
import { records } from "../layout/subjects.ts";
import { readFirst } from "./read_first.ts";
import { watchCountDrift } from "./count_drift.ts";
import { History } from "./history.ts";
import type { BucketStream, StreamReading } from "./streams.ts";
import { type Reached, type Target, Waiters } from "./waiters.ts";

/** Fields of a context that a feed needs. */
export type FeedContext = { readonly requests: Requests; readonly budget: ByteBudget };

/** Options of a feed. */
export type FeedOptions = {
  readonly filters: readonly string[];
  /** Those of the filters whose messages the leader is asked for if no barrier can be published. */
  readonly asked: readonly string[];
  /** Last sequence that is already applied. */
  readonly position: number;
  /** The history of what is already applied; absent if nothing is. */
  readonly history?: History;
  /** Called once with each message, in the order of the stream. */
  readonly apply: (delivery: Delivery) => void;
};

/** The number of messages behind one that the leader returned. */
const UNKNOWN = Infinity;

/** Applies messages until it is disposed. */
export class Feed implements Disposable {
  readonly #context: FeedContext;
  readonly #options: FeedOptions;
  readonly #history: History;
  readonly #consumer: OrderedConsumer;
  readonly #waiters = new Waiters();
  #position: number;
  /** Last sequence behind which the stream had nothing more when it was delivered. */
  #complete = 0;
  /** When the message of that sequence was stored; "" if that is not known. */
  #stamp = "";
  /** Where the next consumer begins, if not behind the last mark. */
  #proved: number | undefined;
  /** Whether a consumer follows the history that was applied. */
  #isProved = false;
  #barriers = 0;
  #isLoaded = false;
  #isRestored = false;
  #isDisposed = false;

  constructor(context: FeedContext, bucket: BucketStream, options: FeedOptions) {
    const { stream, store, prepared } = bucket;
    this.#context = context;
    this.#options = options;
    this.#position = options.position;
    this.#history = options.history ?? new History();
    this.#consumer = new OrderedConsumer(context, {
      stream,
      filters: prepared ? [...options.filters, records.sync(store)] : options.filters,
      from: () => Math.max(this.#start, 1), // the last one again, to learn how many are left behind it
      made: () => this.#prove(bucket),
      lost: () => {
        this.#isProved = false;
      },
      deliver: (delivery, pending) => this.#take(delivery, pending, records.sync(store)),
      caughtUp: () => {
        this.#isLoaded = true;
        this.#settle();
      },
      failed: (cause) => this.#waiters.fail(cause),
    });
  }

  /** The history of what is applied. */
  get history(): History {
    return this.#history;
  }

  /** Last sequence that is applied. */
  get position(): number {
    return this.#position;
  }

  /** Whether everything that the stream held at the beginning has been applied. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Number of barriers, of any gateway, that were delivered. Each has replaced the one before it. */
  get barriers(): number {
    return this.#barriers;
  }

  /** Number of messages that JetStream still had when it sent the last one. */
  get pending(): number {
    return this.#consumer.pending;
  }

  /** Whether there is a consumer that has proved where it begins. */
  get isDelivering(): boolean {
    return this.#isProved;
  }

  /** Tells whether the last message of a stream with one copy is the one that was applied last. */
  isAt({ single, lastSequence, lastStamp }: StreamReading): boolean {
    return single && this.#isCurrent(undefined) && lastSequence === this.#position &&
      lastStamp === this.#stamp;
  }

  /**
   * Waits until everything that was acknowledged before the call is applied.
   *
   * @param timeout Milliseconds.
   * @throws errors of JetStream, and the reason if the consumer cannot go on
   */
  async reach(stream: BucketStream, timeout: number): Promise<Reached> {
    const before = this.#position;
    const barrier = await this.#setBarrier(stream);
    if (barrier !== undefined && barrier <= before) return "restored";
    using _drift = watchCountDrift(this, barrier, () => this.#consumer.restart());
    const reached = await this.#wait(barrier, timeout);
    return barrier === undefined && reached === "all" ? await this.#readOn(stream) : reached;
  }

  /** Ends the feed. Callers that wait learn that it did not come that far. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#consumer[Symbol.dispose]();
    this.#waiters.end("late");
  }

  /** The sequence behind which the next consumer begins. Between the last mark and the position were only barriers. */
  get #start(): number {
    return this.#proved ?? Math.min(this.#position, this.#history.last);
  }

  /** Checks that the stream has the history that was applied. Resolves to false if this consumer cannot follow it. */
  async #prove(stream: BucketStream): Promise<boolean> {
    const start = this.#start;
    const proved = await this.#history.prove(this.#context.requests, stream);
    if (this.#isDisposed) return false;
    if (proved === undefined) {
      this.#isRestored = true;
      this.#consumer[Symbol.dispose]();
      this.#waiters.end("restored");
      return false;
    }
    if (proved < start) {
      this.#proved = proved;
      return false;
    }
    this.#proved = undefined;
    this.#goBack(start);
    this.#isProved = true;
    this.#settle();
    return true;
  }

  /** Takes the messages behind a sequence as not applied. */
  #goBack(sequence: number): void {
    if (sequence >= this.#position) return;
    this.#position = sequence;
    this.#complete = Math.min(this.#complete, sequence);
    this.#stamp = "";
  }

  /** Publishes a barrier behind everything that was acknowledged. Returns its sequence; undefined if it is refused. */
  async #setBarrier({ store, prepared }: BucketStream): Promise<number | undefined> {
    if (!prepared) return undefined;
    try {
      return await this.#context.requests.publish(records.sync(store), "", { rollup: true });
    } catch (cause) {
      const isRefused = cause instanceof JetStreamError || cause instanceof NoResponders ||
        cause instanceof NotPermitted;
      if (isRefused) return undefined;
      throw cause;
    }
  }

  /** Waits until a sequence was delivered and nothing was left, or until everything that the stream holds was delivered. */
  #wait(target: Target, milliseconds: number): Promise<Reached> {
    if (this.#isRestored) return Promise.resolve("restored");
    if (this.#isCurrent(target)) return Promise.resolve("all");
    if (this.#isDisposed) return Promise.resolve("late");
    return this.#waiters.add(target, milliseconds);
  }

  #isCurrent(target: Target): boolean {
    return target === undefined ? this.#isLoaded && this.#isProved : this.#complete >= target;
  }

  #settle(): void {
    this.#waiters.settle((target) => this.#isCurrent(target));
  }

  /** Asks the leader for the messages behind the last one that was applied, and applies them. */
  async #readOn(bucket: BucketStream): Promise<Reached> {
    const proved = await this.#history.prove(this.#context.requests, bucket);
    if (proved === undefined) return "restored";
    if (proved < this.#history.last) this.#goBack(proved);
    while (!this.#isDisposed) {
      const message = await this.#readNext(bucket.stream);
      if (message === undefined) return "all";
      this.#take({ ...message, time: message.time.getTime(), headers: () => "" }, UNKNOWN);
    }
    return "late";
  }

  #readNext(stream: string): Promise<LeaderMessage | undefined> {
    return readFirst(this.#context.requests, stream, this.#position + 1, this.#options.asked);
  }

  #take(delivery: Delivery, pending: number, sync?: string): void {
    const { sequence } = delivery;
    // The leader may have returned it already.
    if (sequence > this.#position) this.#apply(delivery, sync);
    if (pending === 0 && sequence > this.#complete) this.#complete = sequence;
    if (!this.#waiters.isEmpty) this.#settle();
  }

  #apply(delivery: Delivery, sync: string | undefined): void {
    this.#position = delivery.sequence;
    this.#stamp = delivery.stamp;
    if (delivery.subject === sync) {
      this.#barriers++;
      return;
    }
    this.#history.note(delivery);
    this.#options.apply(delivery);
  }
}
