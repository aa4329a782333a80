/**
 * The messages of a stream that match some subjects, from a sequence on, each once and in order, for as long as somebody
 * wants them.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-17.md (ordered consumer),
 * https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-37.md (pulling)
 * and https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-15.md (flow control)
 *
 * A consumer of JetStream is made without a copy and thrown away: after a gap, a lost connection or silence the next one
 * begins behind the last message that arrived. What is there already is pulled, a bounded number of bytes at a time,
 * because what is on its way counts against the connection of everybody; what comes then is pushed, which costs
 * nats-server a fifth of a pull that waits.
 * @module
 */

import type { Msg } from "@nats-io/nats-core";
import type { ByteBudget } from "../../streams/byte_budget.ts";
import { descriptionOf, headerText, serverHeader, statusOf } from "./message_headers.ts";
import type { Listener, Requests } from "./requests.ts";
import {
  monotonic,
  startTicker,
  startTimer,
  stopTicker,
  stopTimer,
  type Timer,
  uniqueId,
} from "../../world/world.ts";

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
  /** All that the stream holds has been delivered. Called again after each time when it had not. */
  readonly caughtUp: () => void;
  /** It cannot go on for now, and tries again. */
  readonly failed: (cause: unknown) => void;
};

/** What is pulled at a time. */
const PULL = { batch: 100_000, max_bytes: 8 * 1024 * 1024 } as const;
/** One message, however long. */
const SINGLE = { batch: 1 } as const;
/** More messages than this are pulled before others are pushed. */
const FEW = 5000;
/** Milliseconds: how often the server is heard; after how long it counts as silent. */
const HEARTBEAT = 1000;
const SILENCE = 2500;
/** Milliseconds after which the server removes a consumer that nobody listens to. */
const INACTIVE = 60_000;
/** Milliseconds before the next attempt, twice as long each time. */
const FIRST_PAUSE = 50;
const LAST_PAUSE = 2000;
const NANOSECONDS = 1_000_000;
const DOT = ".".charCodeAt(0);

type PullSize = { readonly batch: number; readonly max_bytes?: number };
/** How a consumer ends, or a pull. */
type Ending =
  /** All that was asked for has come. */
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
  #isBehind = true;
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

  /** Messages that were there when the last one was sent, and have not come. */
  get pending(): number {
    return this.#session?.pending ?? 0;
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
      const before = this.#position;
      try {
        isLoading = isLoading ? await this.#load() : await this.#follow();
        if (isLoading || this.#position > before) failures = 0;
        if (isLoading) continue;
      } catch (cause) {
        if (this.#stopped) return;
        isLoading = false;
        this.#options.failed(cause);
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

  /** Delivers what is pushed, until the consumer is lost. Returns at once, and true, where there is much to load. */
  async #follow(): Promise<boolean> {
    using session = this.#open();
    await session.create({
      deliver_subject: session.inbox,
      flow_control: true,
      idle_heartbeat: HEARTBEAT * NANOSECONDS,
    });
    // It pushes nothing before somebody listens.
    if (session.pending > FEW) return true;
    if (session.pending === 0) this.#reachEnd();
    await session.follow();
    if (session.cause !== undefined) throw session.cause;
    return false;
  }

  /** Pulls all that is there. Returns false: what comes then is pushed. */
  async #load(): Promise<boolean> {
    using session = this.#open();
    await session.create({});
    let size: PullSize = PULL;
    while (session.pending > 0 && !this.#stopped) {
      let ending: Ending;
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

  #open(): Session {
    const { stream, filters } = this.#options;
    this.#session = new Session(this.#requests, stream, { filters, from: this.#position + 1 }, {
      deliver: (delivery, pending) => {
        this.#position = delivery.sequence;
        this.#options.deliver(delivery);
        if (pending > 0) this.#isBehind = true;
        else if (this.#isBehind) this.#reachEnd();
      },
    });
    return this.#session;
  }

  #reachEnd(): void {
    this.#isBehind = false;
    this.#options.caughtUp();
  }
}

/** One consumer of JetStream's. */
class Session implements Disposable {
  readonly #requests: Requests;
  readonly #stream: string;
  readonly #what: { readonly filters: readonly string[]; readonly from: number };
  readonly #to: { readonly deliver: (delivery: Delivery, pending: number) => void };
  /** Short: each message that is delivered carries it. */
  readonly #name = uniqueId().slice(-10);
  readonly #listener: Listener;
  /** Messages delivered by this consumer: a gap shows as a step of more than one. */
  #delivered = 0;
  #heard = monotonic();
  #watch: Timer | undefined;
  #isLost = false;
  #cause: unknown;
  /** Messages that the server had left when it sent the last one. */
  #pending = 0;
  /** Messages that a pull may still bring; whether it brought any; who waits for the end. */
  #left = Infinity;
  #came = false;
  #finish: ((ending: Ending) => void) | undefined;

  constructor(
    requests: Requests,
    stream: string,
    what: { readonly filters: readonly string[]; readonly from: number },
    to: { readonly deliver: (delivery: Delivery, pending: number) => void },
  ) {
    this.#requests = requests;
    this.#stream = stream;
    this.#what = what;
    this.#to = to;
    this.#listener = requests.listen({
      message: (message) => this.#take(message),
      lost: (cause) => this.end(cause),
    });
  }

  get inbox(): string {
    return this.#listener.inbox;
  }

  get pending(): number {
    return this.#pending;
  }

  /** Why it was lost, where that is known. */
  get cause(): unknown {
    return this.#cause;
  }

  /** Makes the consumer: one that pushes, or with no more configuration one that is pulled from. */
  async create(more: Readonly<Record<string, unknown>>): Promise<void> {
    const { filters, from } = this.#what;
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
          ...more,
        },
      },
    );
    this.#pending = info.num_pending ?? 0;
  }

  /** Listens until the consumer is lost. */
  async follow(): Promise<void> {
    await this.#untilEnd(Infinity, () => this.#listener.open());
  }

  /** Asks for messages that are there, and waits until they have come. */
  async pull(size: PullSize): Promise<Ending> {
    return await this.#untilEnd(size.batch, () => {
      this.#listener.open();
      const method = `CONSUMER.MSG.NEXT.${this.#stream}.${this.#name}`;
      this.#listener.call(method, { ...size, no_wait: true });
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
    stopTicker(this.#watch);
    try {
      this.#listener.call(`CONSUMER.DELETE.${this.#stream}.${this.#name}`);
    } catch {
      // Not connected: the server removes it when nobody listens.
    }
    this.#listener[Symbol.dispose]();
  }

  #untilEnd(most: number, begin: () => void): Promise<Ending> {
    if (this.#isLost) return Promise.resolve("lost");
    return new Promise((resolve) => {
      this.#left = most;
      this.#came = false;
      this.#heard = monotonic();
      this.#watch ??= startTicker(HEARTBEAT / 2, () => this.#checkSilence());
      this.#finish = resolve;
      try {
        begin();
      } catch (cause) {
        this.end(cause);
      }
    });
  }

  #checkSilence(): void {
    if (monotonic() - this.#heard >= SILENCE) this.end();
  }

  #end(ending: Ending): void {
    const finish = this.#finish;
    this.#finish = undefined;
    finish?.(ending);
  }

  #take(message: Msg): void {
    if (this.#isLost) return;
    this.#heard = monotonic();
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
    const headers = (): string => headerText(message);
    this.#to.deliver({ subject, sequence, time, data, headers }, pending);
    this.#left--;
    // A pull ends with the last message that is there; what is pushed has no end.
    if (this.#left <= 0 || (this.#left < Infinity && pending === 0)) this.#end("done");
  }

  #takeStatus(message: Msg): void {
    const headers = headerText(message);
    const status = statusOf(headers);
    const isPushed = this.#left === Infinity;
    if (status === 100) {
      this.#takeControl(message, headers);
    } else if (isPushed) {
      this.end();
    } else if (status === 404) {
      this.#pending = 0; // what it had counted is gone
      this.#end("done");
    } else if (status === 409 && /exceeds maxbytes/i.test(descriptionOf(headers))) {
      this.#end(this.#came ? "done" : "too-large");
    } else if (status === 408 || /batch completed/i.test(descriptionOf(headers))) {
      this.#end("done");
    } else {
      this.end();
    }
  }

  /** A question whether what was pushed has arrived, or a heartbeat. */
  #takeControl(message: Msg, headers: string): void {
    const last = serverHeader(headers, "Nats-Last-Consumer");
    if (last !== "" && Number(last) !== this.#delivered) {
      this.end(); // the last one was lost
      return;
    }
    const question = message.reply || serverHeader(headers, "Nats-Consumer-Stalled");
    try {
      if (question) this.#listener.publish(question);
    } catch (cause) {
      this.end(cause);
    }
  }
}

/** What the reply subject of a delivered message says: the last tokens of `$JS.ACK.…`. */
function parseAck(reply: string): {
  readonly delivered: number;
  readonly sequence: number;
  readonly time: number;
  readonly pending: number;
} {
  // Nine tokens; or with the domain and the account twelve, the last of which says nothing.
  let dots = 0;
  for (let i = 0; i < reply.length; i++) {
    if (reply.charCodeAt(i) === DOT) dots++;
  }
  const end = dots > 10 ? reply.lastIndexOf(".") : reply.length;
  const fourth = reply.lastIndexOf(".", end - 1);
  const third = reply.lastIndexOf(".", fourth - 1);
  const second = reply.lastIndexOf(".", third - 1);
  const first = reply.lastIndexOf(".", second - 1);
  return {
    sequence: Number(reply.slice(first + 1, second)),
    delivered: Number(reply.slice(second + 1, third)),
    time: Number(reply.slice(third + 1, fourth - 6)),
    pending: Number(reply.slice(fourth + 1, end)),
  };
}
