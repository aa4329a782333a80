/**
 * The messages of a stream that match some subjects, from a sequence on, each once and in order, for as long as somebody
 * wants them.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-17.md (ordered consumer)
 * and https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-37.md (pulling)
 *
 * A consumer of JetStream is made without a copy and thrown away: after a gap, a lost connection or silence the next one
 * begins behind the last message that arrived. Messages are pulled, a bounded number of bytes at a time, because what is on
 * its way counts against the connection of everybody.
 * @module
 */

import { type Msg, nuid } from "@nats-io/nats-core";
import type { ByteBudget } from "../streams/byte_budget.ts";
import { descriptionOf, headerText, statusOf } from "./message_headers.ts";
import type { Listener, Requests } from "./requests.ts";

/** A message as a consumer delivers it. */
export type Delivery = {
  readonly subject: string;
  readonly sequence: number;
  /** When JetStream stored it, in milliseconds since 1970. */
  readonly time: number;
  /** Valid until the call returns. */
  readonly data: Uint8Array;
  /** The message's headers, one line each after a status line; "" where it has none. */
  readonly headers: () => string;
};

/** What to deliver, and to whom. */
export type ConsumerOptions = {
  readonly stream: string;
  readonly filters: readonly string[];
  /** First sequence. */
  readonly from: number;
  readonly deliver: (delivery: Delivery) => void;
  /** All that the stream holds has been delivered. Called again after each pause in which it had not. */
  readonly caughtUp: () => void;
  /** It cannot go on for now, and tries again. */
  readonly failed: (cause: unknown) => void;
};

/** What is asked for at a time: while there is more than that, and to wait for what comes. */
const LOADING = { batch: 100_000, max_bytes: 8 * 1024 * 1024 } as const;
const FOLLOWING = { batch: 1000, max_bytes: 512 * 1024 } as const;
/** One message, however long. */
const SINGLE = { batch: 1 } as const;
/** Milliseconds: how long a pull waits; how often the server is heard then; after how long it counts as silent. */
const EXPIRES = 30_000;
const HEARTBEAT = 1000;
const SILENCE = 2500;
/** Milliseconds after which the server removes a consumer that nobody pulls from. */
const INACTIVE = 60_000;
/** Milliseconds before the next attempt, twice as long each time. */
const FIRST_PAUSE = 50;
const LAST_PAUSE = 2000;
const NANOSECONDS = 1_000_000;

type PullSize = { readonly batch: number; readonly max_bytes?: number };
type PullOutcome =
  /** Its messages have come, or its time has. */
  | "done"
  /** The next message alone is larger than what was asked for. */
  | "too-large"
  /** The consumer is of no use any more. */
  | "lost";

/** Delivers until it is disposed. */
export class OrderedConsumer implements Disposable {
  readonly #requests: Requests;
  readonly #budget: ByteBudget;
  readonly #options: ConsumerOptions;
  #position: number;
  #stopped = false;
  #session: Session | undefined;
  #wake: (() => void) | undefined;

  constructor(
    { requests, budget }: { readonly requests: Requests; readonly budget: ByteBudget },
    options: ConsumerOptions,
  ) {
    this.#requests = requests;
    this.#budget = budget;
    this.#options = options;
    this.#position = options.from - 1;
    this.#run();
  }

  /** Ends the deliveries. */
  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#session?.end();
    this.#wake?.();
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#stopped; failures++) {
      try {
        const isPulling = await this.#consume();
        if (isPulling) failures = 0;
      } catch (cause) {
        if (this.#stopped) return;
        this.#options.failed(cause);
      }
      await this.#pause(Math.min(FIRST_PAUSE * 2 ** failures, LAST_PAUSE));
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** Delivers through one consumer until it is lost. Returns whether it delivered anything. */
  async #consume(): Promise<boolean> {
    const before = this.#position;
    const { stream } = this.#options;
    using session = new Session(this.#requests, stream, (delivery) => {
      this.#position = delivery.sequence;
      this.#options.deliver(delivery);
    });
    this.#session = session;
    let isBehind = await session.open(this.#options.filters, this.#position + 1);
    let size: PullSize | undefined;
    while (!this.#stopped && !session.isLost) {
      if (!isBehind) this.#options.caughtUp();
      size ??= isBehind ? LOADING : FOLLOWING;
      const outcome = isBehind ? await this.#load(session, size) : await session.wait(size);
      size = outcome === "too-large" ? SINGLE : undefined;
      isBehind = session.pending > 0;
    }
    if (session.cause !== undefined) throw session.cause;
    return this.#position > before;
  }

  /** Much at a time waits for its turn. */
  async #load(session: Session, size: PullSize): Promise<PullOutcome> {
    const bytes = LOADING.max_bytes;
    await this.#budget.take(bytes);
    try {
      return await session.pull(size);
    } finally {
      this.#budget.give(bytes);
    }
  }
}

/** One consumer of JetStream's. */
class Session implements Disposable {
  readonly #requests: Requests;
  readonly #stream: string;
  readonly #deliver: (delivery: Delivery) => void;
  /** Short: each message that is delivered carries it. */
  readonly #name = nuid.next().slice(-10);
  readonly #listener: Listener;
  /** Messages delivered by this consumer: a gap shows as a step of more than one. */
  #delivered = 0;
  #heard = performance.now();
  #watch: ReturnType<typeof setInterval> | undefined;
  #isLost = false;
  #cause: unknown;
  /** Messages that the server had left when it sent the last one. */
  #pending = 0;
  /** Messages that the pull may still bring, and who waits for it. */
  #left = 0;
  #came = false;
  #endsAtLast = false;
  #finish: ((outcome: PullOutcome) => void) | undefined;

  constructor(requests: Requests, stream: string, deliver: (delivery: Delivery) => void) {
    this.#requests = requests;
    this.#stream = stream;
    this.#deliver = deliver;
    this.#listener = requests.listen({
      message: (message) => this.#take(message),
      lost: (cause) => this.end(cause),
    });
  }

  get pending(): number {
    return this.#pending;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Why it was lost, where that is known. */
  get cause(): unknown {
    return this.#cause;
  }

  /** Makes the consumer. Returns whether there is something to deliver already. */
  async open(filters: readonly string[], from: number): Promise<boolean> {
    const info = await this.#requests.call<{ readonly num_pending?: number }>(
      `CONSUMER.CREATE.${this.#stream}.${this.#name}`,
      {
        stream_name: this.#stream,
        action: "create",
        config: {
          name: this.#name,
          filter_subjects: filters,
          deliver_policy: "by_start_sequence",
          opt_start_seq: from,
          ack_policy: "none",
          replay_policy: "instant",
          mem_storage: true,
          num_replicas: 1,
          inactive_threshold: INACTIVE * NANOSECONDS,
        },
      },
    );
    this.#heard = performance.now();
    this.#watch = setInterval(() => {
      if (performance.now() - this.#heard > SILENCE) this.end();
    }, HEARTBEAT / 2);
    this.#pending = info.num_pending ?? 0;
    return this.#pending > 0;
  }

  /** Asks for messages that are there. */
  pull(size: PullSize): Promise<PullOutcome> {
    this.#endsAtLast = true;
    return this.#ask({ ...size, no_wait: true });
  }

  /** Asks for messages and waits until they have come, or the time for them is over. */
  wait(size: PullSize): Promise<PullOutcome> {
    this.#endsAtLast = false;
    return this.#ask({
      ...size,
      expires: EXPIRES * NANOSECONDS,
      idle_heartbeat: HEARTBEAT * NANOSECONDS,
    });
  }

  #ask(query: PullSize & Readonly<Record<string, unknown>>): Promise<PullOutcome> {
    if (this.#isLost) return Promise.resolve("lost");
    return new Promise((resolve) => {
      this.#left = query.batch;
      this.#came = false;
      this.#heard = performance.now();
      this.#finish = resolve;
      try {
        this.#listener.call(`CONSUMER.MSG.NEXT.${this.#stream}.${this.#name}`, query);
      } catch (cause) {
        this.end(cause);
      }
    });
  }

  /** @param cause Why it is lost, where that is known. */
  end(cause?: unknown): void {
    this.#isLost = true;
    this.#cause ??= cause;
    this.#end("lost");
  }

  [Symbol.dispose](): void {
    this.end();
    clearInterval(this.#watch);
    try {
      this.#listener.call(`CONSUMER.DELETE.${this.#stream}.${this.#name}`);
    } catch {
      // Not connected: the server removes it when nobody pulls from it.
    }
    this.#listener[Symbol.dispose]();
  }

  #end(outcome: PullOutcome): void {
    const finish = this.#finish;
    this.#finish = undefined;
    finish?.(outcome);
  }

  #take(message: Msg): void {
    if (this.#isLost) return;
    this.#heard = performance.now();
    if (message.subject === this.#listener.inbox) {
      this.#takeStatus(message);
      return;
    }
    const { delivered, sequence, time, pending } = parseAck(message.reply ?? "");
    if (delivered !== this.#delivered + 1) {
      this.end();
      return;
    }
    this.#delivered = delivered;
    this.#pending = pending;
    this.#came = true;
    const { subject, data } = message;
    this.#deliver({ subject, sequence, time, data, headers: () => headerText(message) });
    this.#left--;
    if (this.#left <= 0 || (this.#endsAtLast && pending === 0)) this.#end("done");
  }

  #takeStatus(message: Msg): void {
    const headers = headerText(message);
    const status = statusOf(headers);
    if (status === 100) return; // a heartbeat
    const description = status === 409 ? descriptionOf(headers).toLowerCase() : "";
    if (description.includes("exceeds maxbytes")) this.#end(this.#came ? "done" : "too-large");
    else if (status === 404) {
      this.#pending = 0; // what it had counted is gone
      this.#end("done");
    } else if (status === 408 || description === "batch completed") this.#end("done");
    else this.end();
  }
}

/** What the reply subject of a delivered message says: the last tokens of `$JS.ACK.…`. */
function parseAck(reply: string): {
  readonly delivered: number;
  readonly sequence: number;
  readonly time: number;
  readonly pending: number;
} {
  const tokens = reply.split(".");
  // Nine tokens; or with the domain and the account, and then perhaps one more at the end.
  const first = tokens.length === 9 ? 5 : 7;
  return {
    sequence: Number(tokens[first]),
    delivered: Number(tokens[first + 1]),
    time: Number(tokens[first + 2]?.slice(0, -6)),
    pending: Number(tokens[first + 3]),
  };
}
