/**
 * One JetStream consumer of an ordered consumer: it counts its messages, and is lost after a gap or silence.
 * @module
 */

import type { Msg } from "@nats-io/nats-core";
import { monotonic, startTicker, stopTicker, type Timer, uniqueId } from "../../world/world.ts";
import type { Listener } from "./listener.ts";
import { descriptionOf, headerText, serverHeader, statusOf } from "./message_headers.ts";
import { type Delivery, parseAck } from "./messages.ts";
import type { Requests } from "./requests.ts";

/** The messages that a consumer delivers. */
export type ConsumerRange = {
  readonly stream: string;
  readonly filters: readonly string[];
  /** First sequence. */
  readonly from: number;
};

/** Limits of a pull. */
export type PullSize = { readonly batch: number; readonly max_bytes?: number };

/** The ways in which a pull ends. */
export type PullEnding =
  /** All requested messages have arrived. */
  | "done"
  /** The next message alone exceeds the limit. */
  | "too-large"
  /** The consumer is of no further use. */
  | "lost";

/** Nanoseconds between two signs of life of the server. */
export const HEARTBEAT = 1_000_000_000;
/** Milliseconds without a sign of life after which the consumer is lost, and between two checks. */
const SILENCE = 2500;
const SILENCE_CHECK = 500;
/** Nanoseconds after which the server removes a consumer to which no one listens. */
const INACTIVE = 60_000_000_000;

/** One JetStream consumer, deleted when it is disposed. */
export class ConsumerSession implements Disposable {
  readonly #requests: Requests;
  readonly #range: ConsumerRange;
  readonly #deliver: (delivery: Delivery, pending: number) => void;
  /** Short, because every delivered message carries it. */
  readonly #name = uniqueId().slice(-10);
  readonly #listener: Listener;
  /** Number of messages that this consumer delivered; a step of more than one shows a gap. */
  #delivered = 0;
  /** Sequence of the message that was delivered last. */
  #last = 0;
  #heard = monotonic();
  #watch: Timer | undefined;
  #isLost = false;
  #cause: unknown;
  /** Number of messages that the server had left to send when it sent the last one. */
  #pending = 0;
  /** Number of messages that had been delivered when the server last said that it was idle; -1 if it never did. */
  #idle = -1;
  /** Number of messages that a pull may still bring, and whether it brought any. */
  #left = Infinity;
  #came = false;
  /** Ends the wait for a pull or for the end of the pushed messages. */
  #finish: ((ending: PullEnding) => void) | undefined;

  /** @param deliver Receives each message, and the number of messages that the server still had to send. */
  constructor(
    requests: Requests,
    range: ConsumerRange,
    deliver: (delivery: Delivery, pending: number) => void,
  ) {
    this.#requests = requests;
    this.#range = range;
    this.#deliver = deliver;
    this.#listener = requests.listen({
      message: (message) => this.#take(message),
      lost: (cause) => this.end(cause),
    });
  }

  /** The subject to which the server delivers. */
  get inbox(): string {
    return this.#listener.inbox;
  }

  /** Number of messages that the server had left to send when it sent the last one. */
  get pending(): number {
    return this.#pending;
  }

  /** The reason why the consumer was lost, if it is known. */
  get cause(): unknown {
    return this.#cause;
  }

  /** Makes a pull consumer, or a push consumer if `more` has its configuration. See `CallOptions` for `isLong`. */
  async create(more: Readonly<Record<string, unknown>>, isLong = false): Promise<void> {
    const { stream, filters, from } = this.#range;
    const info = await this.#requests.call<{ readonly num_pending?: number }>(
      `CONSUMER.CREATE.${stream}.${this.#name}`,
      {
        stream_name: stream,
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
          inactive_threshold: INACTIVE,
          ...more,
        },
      },
      { isLong },
    );
    this.#pending = info.num_pending ?? 0;
  }

  /** Listens until the consumer is lost. */
  async follow(): Promise<void> {
    await this.#untilEnd(Infinity, () => this.#listener.open());
  }

  /** Requests messages that the stream holds, and waits until they have arrived. */
  async pull(size: PullSize): Promise<PullEnding> {
    return await this.#untilEnd(size.batch, () => {
      this.#listener.open();
      this.#listener.publish(this.#subjectOf("CONSUMER.MSG.NEXT"), { ...size, no_wait: true });
    });
  }

  /**
   * Gives the consumer up.
   *
   * @param cause The reason, if it is known.
   */
  end(cause?: unknown): void {
    this.#isLost = true;
    this.#cause ??= cause;
    this.#end("lost");
  }

  [Symbol.dispose](): void {
    this.end();
    stopTicker(this.#watch);
    try {
      this.#listener.publish(this.#subjectOf("CONSUMER.DELETE"));
    } catch {
      // Not connected: the server removes a consumer to which no one listens.
    }
    this.#listener[Symbol.dispose]();
  }

  #subjectOf(method: string): string {
    return this.#requests.subjectOf(`${method}.${this.#range.stream}.${this.#name}`);
  }

  #untilEnd(max: number, begin: () => void): Promise<PullEnding> {
    if (this.#isLost) return Promise.resolve("lost");
    return new Promise((resolve) => {
      this.#left = max;
      this.#came = false;
      this.#heard = monotonic();
      this.#watch ??= startTicker(SILENCE_CHECK, () => this.#checkSilence());
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

  #end(ending: PullEnding): void {
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
    const { delivered, sequence, time, stamp, pending } = parseAck(message.reply ?? "");
    // Sequences that do not rise are those of a stream that has lost its last messages.
    if (delivered !== this.#delivered + 1 || sequence <= this.#last) {
      this.end();
      return;
    }
    this.#delivered = delivered;
    this.#last = sequence;
    this.#pending = pending;
    this.#came = true;
    const { subject, data } = message;
    const headers = (): string => headerText(message);
    this.#deliver({ subject, sequence, time, stamp, data, headers }, pending);
    this.#left--;
    // A pull ends with the last message of the stream; pushed messages have no end.
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
      this.#pending = 0; // the messages that it had counted are gone
      this.#end("done");
    } else if (status === 409 && /exceeds maxbytes/i.test(descriptionOf(headers))) {
      this.#end(this.#came ? "done" : "too-large");
    } else if (status === 408 || /batch completed/i.test(descriptionOf(headers))) {
      this.#end("done");
    } else {
      this.end();
    }
  }

  /**
   * Responds to flow control, and checks a heartbeat for messages that were lost before it. A server that is idle though it
   * has messages left to send has counted one too many, and would do so for good: another consumer counts again.
   */
  #takeControl(message: Msg, headers: string): void {
    const last = serverHeader(headers, "Nats-Last-Consumer");
    const question = message.reply || serverHeader(headers, "Nats-Consumer-Stalled");
    const isIdle = last !== "" && question === "" && this.#pending > 0;
    const isLost = last !== "" && Number(last) !== this.#delivered;
    if (isLost || (isIdle && this.#idle === this.#delivered)) return this.end();
    if (isIdle) this.#idle = this.#delivered;
    try {
      if (question) this.#listener.publish(question);
    } catch (cause) {
      this.end(cause);
    }
  }
}
