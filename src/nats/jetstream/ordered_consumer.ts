/**
 * Delivers the messages of a stream that match some subjects, from a sequence on, each once and in order, until it is
 * disposed.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-17.md (ordered consumer),
 * https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-37.md (pulling)
 * and https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-15.md (flow control)
 *
 * Each JetStream consumer has one copy and is thrown away: after a gap, a lost connection or silence, the caller decides
 * where the next one begins, and checks once it exists that the stream still has the history that was delivered. It pulls the messages that the stream already holds, a bounded number of
 * bytes at a time, because bytes on their way count against the one connection that all requests share. The server
 * pushes later messages, which costs it a fifth of a pull that waits.
 * @module
 */

import type { ByteBudget } from "../../streams/byte_budget.ts";
import { workFor } from "../../streams/clients_work.ts";
import { startTimer, stopTimer } from "../../world/world.ts";
import { ConsumerSession, HEARTBEAT, type PullEnding, type PullSize } from "./consumer_session.ts";
import type { Delivery } from "./messages.ts";
import type { Requests } from "./requests.ts";

/** The messages to deliver, and the callbacks. */
export type ConsumerOptions = {
  readonly stream: string;
  readonly filters: readonly string[];
  /** Whether messages come without their data. */
  readonly headersOnly?: boolean;
  /** Returns the first sequence of the JetStream consumer that is made next. */
  readonly from: () => number;
  /** Called when a JetStream consumer was made, before it delivers. Resolves to false if another one must replace it. */
  readonly made: () => Promise<boolean>;
  /** Called when a JetStream consumer is of no further use. */
  readonly lost: () => void;
  /** Called with each message, and the number of messages that the stream still had when it was sent. */
  readonly deliver: (delivery: Delivery, pending: number) => void;
  /** Called when all messages of the stream have been delivered, and again each time it catches up after falling behind. */
  readonly caughtUp: () => void;
  /** Called when it cannot go on for now; it tries again. */
  readonly failed: (cause: unknown) => void;
};

/** Limits of one pull. */
const PULL = { batch: 100_000, max_bytes: 8 * 1024 * 1024 } as const;
/** One message of any size. */
const SINGLE = { batch: 1 } as const;
/** With more messages than this left to deliver, it pulls before the server pushes. */
const MAX_PUSHED = 5000;
/** Milliseconds before the next attempt: the first, doubled each time, and the longest. */
const FIRST_PAUSE = 50;
const LAST_PAUSE = 2000;

/** An ordered consumer, which delivers until it is disposed. */
export class OrderedConsumer implements Disposable {
  readonly #requests: Requests;
  readonly #budget: ByteBudget;
  readonly #options: ConsumerOptions;
  /** Number of messages that were delivered. */
  #delivered = 0;
  #isBehind = true;
  #stopped = false;
  #session: ConsumerSession | undefined;
  #wake: (() => void) | undefined;

  constructor(
    { requests, budget }: { readonly requests: Requests; readonly budget: ByteBudget },
    options: ConsumerOptions,
  ) {
    this.#requests = requests;
    this.#budget = budget;
    this.#options = options;
    // It goes on when the request is over that began it, and others rely on it as well.
    workFor(undefined, () => this.#run());
  }

  /** Number of messages that the server had left to send when it sent the last one. */
  get pending(): number {
    return this.#session?.pending ?? 0;
  }

  /** Makes another JetStream consumer in place of the present one. */
  restart(): void {
    this.#session?.end();
  }

  /** Ends the deliveries. */
  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#session?.end();
    this.#wake?.();
  }

  async #run(): Promise<void> {
    let isLoading = false;
    for (let failures = 0; !this.#stopped;) {
      const before = this.#delivered;
      try {
        isLoading = isLoading ? await this.#load() : await this.#follow();
        if (isLoading || this.#delivered > before) failures = 0;
        if (isLoading) continue;
      } catch (cause) {
        if (this.#stopped) return;
        isLoading = false;
        this.#options.failed(cause);
      } finally {
        this.#options.lost();
      }
      await this.#pause(Math.min(FIRST_PAUSE * 2 ** failures++, LAST_PAUSE));
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = startTimer(milliseconds, resolve);
      this.#wake = () => {
        stopTimer(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** Delivers pushed messages until the consumer is lost. Returns true at once if there is much to load first. */
  async #follow(): Promise<boolean> {
    using session = this.#open();
    await session.create({
      ...this.#content,
      deliver_subject: session.inbox,
      flow_control: true,
      idle_heartbeat: HEARTBEAT,
    }, true);
    // The server pushes nothing before the inbox is open.
    if (!await this.#options.made()) return false;
    if (session.pending > MAX_PUSHED) return true;
    if (session.pending === 0) this.#reachEnd();
    await session.follow();
    if (session.cause !== undefined) throw session.cause;
    return false;
  }

  /** Pulls all messages that the stream holds. Returns false, because the server pushes later ones. */
  async #load(): Promise<boolean> {
    using session = this.#open();
    await session.create(this.#content, true);
    if (!await this.#options.made()) return false;
    let size: PullSize = PULL;
    while (session.pending > 0 && !this.#stopped) {
      let ending: PullEnding;
      await this.#budget.take(PULL.max_bytes);
      try {
        ending = await session.pull(size);
      } finally {
        this.#budget.give(PULL.max_bytes);
      }
      if (ending === "lost") break;
      size = ending === "too-large" ? SINGLE : PULL;
    }
    if (session.cause !== undefined) throw session.cause;
    return false;
  }

  get #content(): Readonly<Record<string, unknown>> {
    return this.#options.headersOnly === true ? { headers_only: true } : {};
  }

  #open(): ConsumerSession {
    const { stream, filters } = this.#options;
    const range = { stream, filters, from: this.#options.from() };
    this.#session = new ConsumerSession(this.#requests, range, (delivery, pending) => {
      this.#delivered++;
      this.#options.deliver(delivery, pending);
      if (pending > 0) this.#isBehind = true;
      else if (this.#isBehind) this.#reachEnd();
    });
    return this.#session;
  }

  #reachEnd(): void {
    this.#isBehind = false;
    this.#options.caughtUp();
  }
}
