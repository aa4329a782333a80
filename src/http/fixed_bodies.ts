/**
 * Small response bodies that are handed to the runtime at once. The runtime does not tell when their bytes were taken, and
 * with HTTP/2 a client that takes nothing may leave hundreds of them on one connection.
 *
 * So each client has a budget for the time of `--limit.stall`. Beyond it, and beyond what all clients have together, small
 * bodies are streams like large ones: each holds its place in flight until its bytes are taken.
 * @module
 */

import { MAX_FIXED } from "../streams/in_pieces.ts";

/** Bytes for each client, and for all together. */
const BUDGET = 32 * 1024 * 1024;
const TOTAL = 256 * 1024 * 1024;

/** Counts the bytes that clients were given within a time. */
export class FixedBodies {
  readonly #window: number;
  #began = 0;
  #recent = new Map<string, number>();
  #older: ReadonlyMap<string, number> = new Map();
  #sumRecent = 0;
  #sumOlder = 0;

  /** @param window Milliseconds for which bytes count, and for up to twice as long. */
  constructor(window: number) {
    this.#window = window;
  }

  /**
   * Counts a body that is handed over.
   *
   * @param now Milliseconds of a clock that only goes forward.
   * @returns false if the client has had too much: the body must be a stream
   */
  take(client: string, bytes: number, now: number): boolean {
    if (bytes > MAX_FIXED) return false;
    if (now - this.#began >= this.#window) this.#forget(now);
    const had = this.#recent.get(client) ?? 0;
    const sum = had + (this.#older.get(client) ?? 0) + bytes;
    if (sum > BUDGET || this.#sumRecent + this.#sumOlder + bytes > TOTAL) return false;
    this.#recent.set(client, had + bytes);
    this.#sumRecent += bytes;
    return true;
  }

  #forget(now: number): void {
    const isLongAgo = now - this.#began >= 2 * this.#window;
    this.#older = isLongAgo ? new Map() : this.#recent;
    this.#sumOlder = isLongAgo ? 0 : this.#sumRecent;
    this.#recent = new Map();
    this.#sumRecent = 0;
    this.#began = now;
  }
}
