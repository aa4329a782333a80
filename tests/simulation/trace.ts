/**
 * What happened in a simulation, for people: who did what, what was sent, what was lost.
 * @module
 */

import { createHash } from "node:crypto";
import type { WireMessage } from "./jetstream/wire.ts";

type Entry = {
  readonly at: number;
  readonly actor: string;
  readonly text: string;
  readonly message: WireMessage | undefined;
};

/** Characters of a message's data that are shown. */
const SHOWN = 100;
const decoder = new TextDecoder();

/** A trace. Its lines are made when somebody asks for them. */
export class Trace {
  readonly #entries: Entry[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Adds something that somebody did, or that was done to them. */
  add(actor: string, text: string): void {
    this.#entries.push({ at: this.#now(), actor, text, message: undefined });
  }

  /** Adds a message as the server received or sent it. */
  message(text: "received" | "sent", message: WireMessage): void {
    this.#entries.push({ at: this.#now(), actor: "server", text, message });
  }

  /** The lines of some actors, or of all. */
  *lines(isShown: (actor: string) => boolean = () => true): Generator<string> {
    for (const { at, actor, text, message } of this.#entries) {
      if (!isShown(actor)) continue;
      const what = message === undefined ? text : `${text} ${describe(message)}`;
      yield `${at.toFixed(3).padStart(12)}  ${actor.padEnd(8)} ${what}`;
    }
  }

  /** A digest of all lines: the same for two runs in which the same happened. */
  digest(): string {
    const hash = createHash("sha256");
    for (const line of this.lines()) hash.update(line);
    return hash.digest("hex");
  }
}

function describe({ subject, reply, headers, data }: WireMessage): string {
  const fields = headers.split("\r\n").slice(1).filter((line) => line !== "").join(", ");
  const status = headers.slice(0, headers.indexOf("\r\n")).replace("NATS/1.0", "").trim();
  const isText = data[0] === 0x7b; // a JSON document
  const content = isText
    ? decoder.decode(data.subarray(0, SHOWN))
    : data.length === 0
    ? ""
    : `${data.length} bytes`;
  return [subject, reply === "" ? "" : `(reply ${reply})`, status, fields, content]
    .filter((part) => part !== "").join(" ");
}
