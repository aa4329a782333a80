/**
 * A feed applies the messages of some subjects of a bucket's stream, and can tell when it has applied everything that was
 * acknowledged before a moment.
 *
 * For that it sets a barrier: it publishes a message to `S3.sync`. Replicas apply one log, so when the consumer has
 * delivered the barrier or a later message, it has delivered all earlier ones. If nothing can be published, because the
 * bucket is full or native clients made it, the feed asks the leader for the messages behind the last one.
 * @module
 */

import type { ByteBudget } from "../../streams/byte_budget.ts";
import { startTimer, stopTimer } from "../../world/world.ts";
import { JetStreamError, NoResponders, NotPermitted } from "../jetstream/errors.ts";
import type { Delivery, StoredMessage } from "../jetstream/messages.ts";
import { OrderedConsumer } from "../jetstream/ordered_consumer.ts";
import type { Requests } from "../jetstream/requests.ts";
import { records } from "../layout/subjects.ts";
import type { BucketStream } from "./streams.ts";

/** Fields of a context that a feed needs. */
export type FeedContext = { readonly requests: Requests; readonly budget: ByteBudget };

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
  /** Everything that was acknowledged before the call is applied. */
  | "all"
  /** It took too long. */
  | "late"
  /** An older state of the stream was restored, so the feed followed another history. */
  | "restored";

type Waiter = {
  /** The sequence that must have been delivered; undefined for everything that the stream holds. */
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

  /** Last sequence that is applied. */
  get position(): number {
    return this.#position;
  }

  /** Number of messages that JetStream still had when it sent the last one. */
  get pending(): number {
    return this.#consumer.pending;
  }

  /** Whether everything that the stream held at the beginning has been applied. */
  get isLoaded(): boolean {
    return this.#isLoaded;
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
    if (!await this.#wait(barrier, timeout)) return "late";
    if (barrier === undefined) await this.#readOn(stream);
    return "all";
  }

  /** Ends the feed. Callers that wait learn that it did not come that far. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#consumer[Symbol.dispose]();
    for (const waiter of this.#waiters) waiter.resolve(false);
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

  /** Waits until a sequence, or everything that the stream holds, was delivered. Returns false if it takes too long. */
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

  /** Asks the leader for the messages behind the last one that was applied, and applies them. */
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
    if (sequence <= this.#position) return; // the leader has already returned it
    this.#position = sequence;
    if (subject !== sync) this.#options.apply(delivery);
    if (this.#waiters.length === 0) return;
    this.#settle((target) => target !== undefined && target <= sequence);
  }
}

/**
 * Applies all messages of a filter once, in the order of the stream. It misses none that was acknowledged before the call.
 *
 * @throws errors of JetStream; Error if the messages are not read in time
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
  if (await feed.reach(stream, READ_TIMEOUT) === "all") return;
  throw new Error(`"${filter}" was not read within ${READ_TIMEOUT / 1000} s`);
}

/** Milliseconds for reading all messages of a filter: enough for a hundred million. */
const READ_TIMEOUT = 1_800_000;
