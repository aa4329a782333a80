/**
 * A consumer that acknowledges nothing: pushed with heartbeats and flow control, or pulled.
 * See https://docs.nats.io/nats-concepts/jetstream/consumers
 * @module
 */

import { notSimulated, Refused } from "./api_errors.ts";
import type { ConsumerConfig, ConsumerContext } from "./consumer_config.ts";
import type { Copy } from "./copy.ts";
import { endOf, headersOnly, replyOf } from "./delivery.ts";
import { FlowWindow } from "./flow_window.ts";
import type { StoreChange, Stored } from "./message_store.ts";
import { type Matcher, matcherOf } from "./subject_filter.ts";
import type { Stream } from "./stream.ts";
import { statusMessage } from "./wire.ts";

/** A consumer. */
export class Consumer {
  readonly config: ConsumerConfig;
  readonly #context: ConsumerContext;
  readonly #stream: Stream;
  readonly #copy: Copy;
  readonly #matches: Matcher;
  /** Sequence from which the next message is sought, and number of messages delivered. */
  #next: number;
  #delivered = 0;
  #pending: number;
  /** Undefined without flow control. */
  readonly #window: FlowWindow | undefined;
  #cancelHeartbeat = (): void => {};
  #cancelWatch = (): void => {};
  #hasNew = false;
  /** Whether somebody pulled since the last look. */
  #isActive = true;

  constructor(context: ConsumerContext, stream: Stream, copy: Copy, config: ConsumerConfig) {
    const { filter_subjects = [], filter_subject, deliver_policy, ack_policy } = config;
    if (ack_policy !== "none") throw new Refused(notSimulated("acknowledgements"));
    if (deliver_policy !== "by_start_sequence" && deliver_policy !== "all") {
      throw new Refused(notSimulated(`deliver policy ${deliver_policy}`));
    }
    this.#context = context;
    this.#stream = stream;
    this.#copy = copy;
    this.config = config;
    const isControlled = config.flow_control === true;
    this.#window = isControlled
      ? new FlowWindow(`${stream.config.name}.${config.name}`)
      : undefined;
    const filters = filter_subject ? [filter_subject] : filter_subjects;
    const matchers = (filters.length === 0 ? [""] : filters).map(matcherOf);
    const [first] = matchers;
    this.#matches = matchers.length === 1 && first !== undefined
      ? first
      : (subject) => matchers.some((matches) => matches(subject));
    this.#next = Math.max(config.opt_start_seq ?? 1, copy.store.firstSequence);
    this.#pending = copy.store.count(this.#next, this.#matches);
    if (this.#pending > 0 && context.miscounts()) this.#pending++;
    if (config.deliver_subject !== undefined) this.#beat();
    this.#watch();
  }

  /** Number of messages that are left to deliver. */
  get pending(): number {
    return this.#pending;
  }

  /** What CONSUMER.INFO says of the messages delivered. */
  get delivered(): { readonly consumer_seq: number; readonly stream_seq: number } {
    return { consumer_seq: this.#delivered, stream_seq: this.#next - 1 };
  }

  /** Ends the consumer. */
  end(): void {
    this.#cancelHeartbeat();
    this.#cancelWatch();
  }

  /** Counts what its copy stored and removed. */
  changed(change: StoreChange, removed: readonly Stored[]): void {
    for (const { sequence, subject } of removed) {
      if (sequence >= this.#next && this.#matches(subject)) this.#pending--;
    }
    if (change.kind !== "store") return;
    const { sequence, subject } = change.message;
    if (sequence < this.#next || !this.#matches(subject)) return;
    this.#pending++;
    this.#hasNew = true;
  }

  /** Delivers what came, unless it is gone again. */
  deliverNew(): void {
    if (!this.#hasNew) return;
    this.#hasNew = false;
    this.deliver();
  }

  /** Takes a pull that does not wait. */
  pull(reply: string, request: Readonly<Record<string, unknown>>): void {
    const { batch = 1, max_bytes = 0, no_wait = false } = request as {
      readonly batch?: number;
      readonly max_bytes?: number;
      readonly no_wait?: boolean;
    };
    const end = (status: string): void => this.#context.send(statusMessage(reply, status));
    if (this.config.deliver_subject !== undefined) {
      end("409 Consumer is push based");
      return;
    }
    if (!no_wait) throw new RangeError("Pulls that wait are not simulated");
    this.#isActive = true;
    if (this.#pending === 0) {
      end("404 No Messages");
      return;
    }
    const pull = { reply, left: Math.max(1, batch), bytes: max_bytes > 0 ? max_bytes : Infinity };
    while (pull.left > 0) {
      const found = this.#find();
      if (found === undefined) {
        end("404 No Messages");
        return;
      }
      const size = this.#sizeOf(found);
      if (size > pull.bytes) {
        this.#context.send(endOf(pull, "409 Message Size Exceeds MaxBytes"));
        return;
      }
      pull.bytes -= size;
      pull.left = pull.bytes === 0 ? 0 : pull.left - 1;
      this.#send(reply, found);
    }
    if (pull.bytes > 0 && pull.bytes < Infinity) {
      this.#context.send(endOf(pull, "409 Batch Completed"));
    }
  }

  /** Takes the answer to a question of flow control. */
  confirm(subject: string): void {
    if (this.#window?.confirm(subject) === true) this.deliver();
  }

  /** Pushes what it may. */
  deliver(): void {
    const { deliver_subject: subject } = this.config;
    if (subject === undefined) return;
    const window = this.#window;
    while (this.#context.hasInterest(subject)) {
      if (window?.isFull === true) return;
      const found = this.#find();
      if (found === undefined) return;
      const size = this.#send(subject, found);
      this.#beat();
      if (window?.sent(size) !== true) continue;
      this.#context.send(
        statusMessage(subject, "100 FlowControl Request", {}, window.question),
      );
    }
  }

  #find(): Stored | undefined {
    return this.#copy.store.find(this.#next, this.#matches);
  }

  #contentOf(message: Stored): Pick<Stored, "headers" | "data"> {
    return this.config.headers_only === true ? headersOnly(message) : message;
  }

  #replyOf(message: Stored, delivered: number, pending: number): string {
    return replyOf(this.#stream.config.name, this.config.name, message, delivered, pending);
  }

  #sizeOf(message: Stored): number {
    const reply = this.#replyOf(message, this.#delivered + 1, this.#pending - 1);
    const { headers, data } = this.#contentOf(message);
    return message.subject.length + reply.length + headers.length + data.length;
  }

  /** Sends a message and returns its size. It arrives on the subject of the stream, at the inbox `to`. */
  #send(to: string, message: Stored): number {
    this.#next = message.sequence + 1;
    this.#delivered++;
    this.#pending--;
    const reply = this.#replyOf(message, this.#delivered, this.#pending);
    const { headers, data } = this.#contentOf(message);
    const { subject } = message;
    this.#context.send({ subject: to, deliveredAs: subject, reply, headers, data });
    return subject.length + reply.length + headers.length + data.length;
  }

  /** Ends it when nobody has listened or pulled for the time that its configuration says. */
  #watch(): void {
    const { inactive_threshold = 0, deliver_subject } = this.config;
    if (inactive_threshold === 0) return;
    this.#cancelWatch = this.#context.clock.after(inactive_threshold / 1e6, () => {
      const isHeard = deliver_subject !== undefined && this.#context.hasInterest(deliver_subject);
      if (this.#isActive || isHeard) {
        this.#isActive = false;
        this.#watch();
      } else this.#stream.end(this);
    });
  }

  #beat(): void {
    const { idle_heartbeat = 0, deliver_subject = "" } = this.config;
    if (idle_heartbeat === 0) return;
    this.#cancelHeartbeat();
    this.#cancelHeartbeat = this.#context.clock.after(idle_heartbeat / 1e6, () => {
      const question = this.#window?.question ?? "";
      if (this.#context.hasInterest(deliver_subject)) {
        this.#context.send(statusMessage(deliver_subject, "100 Idle Heartbeat", {
          "Nats-Last-Consumer": this.#delivered,
          "Nats-Last-Stream": this.#next - 1,
          ...(question !== "" && { "Nats-Consumer-Stalled": question }),
        }));
      }
      this.#beat();
    });
  }
}
