/**
 * Some subjects of a bucket's stream, applied message by message, and the certainty that all that was acknowledged has
 * been applied.
 *
 * A message is published to `S3.sync`, and when the consumer has delivered that one, or any behind it, it has delivered all
 * before it: replicas apply one log. Where nothing can be published (a full bucket, one that native clients made) the
 * leader is asked for what follows the last message that was delivered.
 * @module
 */

import type { BucketsContext } from "./context.ts";
import { JetStreamError, NoResponders, NotPermitted } from "../jetstream/errors.ts";
import type { StoredMessage } from "../jetstream/messages.ts";
import { records } from "../layout/subjects.ts";
import type { Delivery } from "../jetstream/messages.ts";
import { OrderedConsumer } from "../jetstream/ordered_consumer.ts";
import type { BucketStream } from "./streams.ts";
import { startTimer, stopTimer } from "../../world/world.ts";

/** Fields of a context that a feed needs. */
export type FeedContext = Pick<BucketsContext, "requests" | "budget">;

/** Options of a feed. */
export type FeedOptions = {
  readonly filters: readonly string[];
  /** Those of the filters whose messages the leader is asked for if no barrier can be published. */
  readonly asked: readonly string[];
  /** Last sequence that is already applied. */
  readonly position: number;
  /** Called once with each message, in the order of the stream. */
  readonly apply: (delivery: Delivery) => void;
};

/** How far a feed came. */
export type Reached =
  /** All that was acknowledged before the call is applied. */
  | "all"
  /** Not yet. */
  | "late"
  /** The stream is not what was followed: an older state of it was restored. */
  | "restored";

type Waiter = {
  /** The sequence that must have been delivered; undefined for all that there is. */
  readonly target: number | undefined;
  readonly resolve: (isThere: boolean) => void;
  readonly reject: (cause: unknown) => void;
};

/** Applies messages until it is disposed. */
export class Feed implements Disposable {
  readonly #context: FeedContext;
  readonly #options: FeedOptions;
  readonly #consumer: OrderedConsumer;
  #position: number;
  #isLoaded = false;
  #isDisposed = false;
  #waiters: Waiter[] = [];

  constructor(
    context: FeedContext,
    { stream, store, prepared }: BucketStream,
    options: FeedOptions,
  ) {
    this.#context = context;
    this.#options = options;
    this.#position = options.position;
    const { filters } = options;
    this.#consumer = new OrderedConsumer(context, {
      stream,
      filters: prepared ? [...filters, records.sync(store)] : filters,
      from: options.position + 1,
      deliver: (delivery) => this.#take(delivery, records.sync(store)),
      caughtUp: () => {
        this.#isLoaded = true;
        this.#settle((target) => target === undefined);
      },
      failed: (cause) => {
        for (const waiter of this.#waiters) waiter.reject(cause);
      },
    });
  }

  /** Last sequence applied. */
  get position(): number {
    return this.#position;
  }

  /** Messages that JetStream had left when it sent the last one. */
  get pending(): number {
    return this.#consumer.pending;
  }

  /** All that was there has been applied once. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /**
   * Applies all that was acknowledged before the call.
   *
   * @param patience Milliseconds that it may take.
   * @throws as JetStream does; why the consumer cannot go on
   */
  async reach(stream: BucketStream, patience: number): Promise<Reached> {
    const before = this.#position;
    const mark = await this.#mark(stream);
    if (mark !== undefined && mark <= before) return "restored";
    if (!await this.#wait(mark, patience)) return "late";
    if (mark === undefined) await this.#readOn(stream);
    return "all";
  }

  /** Ends it; who waits is told that it did not come that far. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#consumer[Symbol.dispose]();
    for (const waiter of this.#waiters) waiter.resolve(false);
  }

  /** Publishes a message behind all that was acknowledged; its sequence, or undefined where none can be published. */
  async #mark({ store, prepared }: BucketStream): Promise<number | undefined> {
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

  /** Waits until a sequence was delivered, or all that there is. Returns false when it takes longer than that. */
  #wait(target: number | undefined, milliseconds: number): Promise<boolean> {
    const isDone = target === undefined ? this.#isLoaded : this.#position >= target;
    if (isDone || this.#isDisposed) return Promise.resolve(isDone);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        stopTimer(timer);
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
      };
      const waiter: Waiter = {
        target,
        resolve(isThere) {
          end();
          resolve(isThere);
        },
        reject(cause) {
          end();
          reject(cause);
        },
      };
      const timer = startTimer(milliseconds, () => waiter.resolve(false));
      this.#waiters.push(waiter);
    });
  }

  #settle(isDone: (target: number | undefined) => boolean): void {
    for (const waiter of this.#waiters) {
      if (isDone(waiter.target)) waiter.resolve(true);
    }
  }

  /** Applies the messages behind the last one that was applied, which it asks the leader for. */
  async #readOn({ stream }: BucketStream): Promise<void> {
    while (!this.#isDisposed) {
      const message = await this.#readNext(stream);
      if (message === undefined) return;
      const { subject, sequence, data, time } = message;
      const headers = (): string => "";
      this.#take({ subject, sequence, data, time: time.getTime(), headers });
    }
  }

  async #readNext(stream: string): Promise<StoredMessage | undefined> {
    const seq = this.#position + 1;
    const found = await Promise.all(this.#options.asked.map((next_by_subj) => {
      return this.#context.requests.leaderGet(stream, { seq, next_by_subj });
    }));
    const [first] = found.filter((message) => message !== undefined)
      .sort((a, b) => a.sequence - b.sequence);
    return first;
  }

  #take(delivery: Delivery, sync?: string): void {
    const { subject, sequence } = delivery;
    if (sequence <= this.#position) return; // known already from the leader
    this.#position = sequence;
    if (subject !== sync) this.#options.apply(delivery);
    if (this.#waiters.length === 0) return;
    this.#settle((target) => target !== undefined && target <= sequence);
  }
}

/**
 * Applies all messages of some subjects once, in the order of the stream, never missing one that was acknowledged before
 * the call.
 *
 * @throws as JetStream does; Error when they are not read in time
 */
export async function readAll(
  context: FeedContext,
  stream: BucketStream,
  filter: string,
  apply: (delivery: Delivery) => void,
): Promise<void> {
  using feed = new Feed(context, stream, {
    filters: [filter],
    asked: [filter],
    position: 0,
    apply,
  });
  if (await feed.reach(stream, READ_PATIENCE) === "all") return;
  throw new Error(`"${filter}" was not read within ${READ_PATIENCE / 1000} s`);
}

/** Milliseconds to read all messages of some subjects: a hundred million of them. */
const READ_PATIENCE = 1_800_000;
