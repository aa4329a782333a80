/**
 * Flow control of a push consumer: the bytes that it may send before the client confirms some.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-15.md
 * @module
 */

/** Bytes that are pushed before the client must confirm: the first window, and the largest. */
const FIRST_WINDOW = 2 * 1024 * 1024;
const MAX_WINDOW = 32 * 1024 * 1024;

/** The window of a consumer, which grows with each confirmation. */
export class FlowWindow {
  /** The subject of the question that is open; "" if there is none. */
  question = "";
  readonly #name: string;
  #window = FIRST_WINDOW;
  #unconfirmed = 0;
  #asked = 0;
  #questions = 0;

  /** @param name Stream and consumer, separated by a dot. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Whether nothing may be sent before the client confirms. */
  get isFull(): boolean {
    return this.#unconfirmed > this.#window;
  }

  /** Counts bytes that were sent. Returns true if the client is to be asked now. */
  sent(bytes: number): boolean {
    this.#unconfirmed += bytes;
    if (this.question !== "" || this.#unconfirmed <= this.#window / 2) return false;
    this.question = `$JS.FC.${this.#name}.${++this.#questions}`;
    this.#asked = this.#unconfirmed;
    return true;
  }

  /** Takes the answer to a question. Returns false if it is not the open one. */
  confirm(subject: string): boolean {
    if (subject !== this.question) return false;
    this.#window = Math.min(this.#window * 2, MAX_WINDOW);
    this.#unconfirmed = Math.max(0, this.#unconfirmed - this.#asked);
    this.question = "";
    this.#asked = 0;
    return true;
  }
}
