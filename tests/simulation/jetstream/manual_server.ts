/**
 * JetStream in memory with a clock that a test moves, for tests of the server alone.
 * @module
 */

import { JetStream, type JetStreamOptions } from "./jetstream.ts";
import type { WireMessage } from "./wire.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Milliseconds since 1970 when each test begins. */
const START = 1_767_225_600_000;

/** A message that the server sent. */
export type Sent = {
  readonly subject: string;
  readonly headers: string;
  readonly text: string;
};

/** A server, its clock, and everything that it sends. */
export class ManualServer {
  readonly jetStream: JetStream;
  /** Subjects that somebody listens to. */
  readonly heard = new Set<string>();
  /** What it sent and no call has taken. */
  readonly sent: Sent[] = [];
  #now = START;
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  /** @param random Returns 0 by default, so the leader answers, the earliest choice is taken and nothing waits. */
  constructor(options: Partial<JetStreamOptions> = {}) {
    this.jetStream = new JetStream({
      clock: {
        now: () => this.#now,
        after: (milliseconds, run) => {
          const timer = { at: this.#now + milliseconds, run };
          this.#timers.push(timer);
          return () => {
            this.#timers = this.#timers.filter((one) => one !== timer);
          };
        },
      },
      random: () => 0,
      send: ({ subject, deliveredAs, headers, data }) => {
        this.sent.push({ subject: deliveredAs ?? subject, headers, text: decoder.decode(data) });
      },
      hasInterest: (subject) => this.heard.has(subject),
      ...options,
    });
  }

  /** Lets time pass, and runs the timers that are due. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }

  /** Publishes, and returns what the server sent at once. */
  publish(subject: string, text = "", headers: Readonly<Record<string, string>> = {}): Sent[] {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const message: WireMessage = {
      subject,
      reply: "reply",
      headers: lines === "" ? "" : `NATS/1.0\r\n${lines}\r\n`,
      data: encoder.encode(text),
    };
    this.jetStream.receive(message);
    return this.sent.splice(0);
  }

  /** Calls the API, and returns the answer. */
  call(method: string, document?: unknown): Readonly<Record<string, unknown>> {
    const text = document === undefined ? "" : JSON.stringify(document);
    const [answer] = this.publish(`$JS.API.${method}`, text);
    if (answer === undefined) throw new Error(`No answer to ${method}`);
    return JSON.parse(answer.text);
  }

  /** Makes a stream that stores the subjects below its name. */
  create(name: string, more: Readonly<Record<string, unknown>> = {}): void {
    const created = this.call(`STREAM.CREATE.${name}`, {
      name,
      subjects: [`${name}.>`],
      allow_direct: true,
      allow_rollup_hdrs: true,
      ...more,
    });
    if (created["error"] !== undefined) throw new Error(JSON.stringify(created["error"]));
  }

  /** Returns the texts of the messages that the leader holds. */
  texts(name: string): readonly string[] {
    const stream = this.jetStream.stream(name);
    return [...stream?.store.messages.values() ?? []].map(({ data }) => decoder.decode(data));
  }

  /** Returns the text of a direct get, or its status. */
  direct(name: string, subject: string): string {
    const [answer] = this.publish(`$JS.API.DIRECT.GET.${name}.${subject}`);
    if (answer === undefined) throw new Error("No answer to a direct get");
    return answer.headers.startsWith("NATS/1.0 404") ? "404" : answer.text;
  }
}
