/**
 * Small response bodies that are handed to the runtime at once. The runtime does not tell when their bytes were taken, and
 * with HTTP/2 a client that takes nothing may leave hundreds of them on one connection.
 *
 * So each client has a budget for the time of `--limit.stall`. Beyond it, and beyond what all clients have together, small
 * bodies are streams like large ones: each holds its place in flight until its bytes are taken. A stream costs more, so a
 * connection that is used again and again counts only for the bodies that it can leave untaken at the same time.
 * @module
 */

import { MAX_FIXED } from "../streams/in_pieces.ts";

/** Bytes for each client, and for all together. */
const BUDGET = 32 * 1024 * 1024;
const TOTAL = 256 * 1024 * 1024;

/**
 * Bodies that the runtime holds at most for one connection: the HTTP/2 streams that it lets run at the same time. With
 * HTTP/1.1 it holds one.
 */
const HELD = 200;
/** Connections that are followed; bodies on others count in full. */
const MAX_CONNECTIONS = 16_384;

/** What one client was given on one connection. */
type Connection = { counted: number; largest: number };

/** What clients were given within a time. */
class Span {
  readonly clients = new Map<string, number>();
  readonly connections = new Map<string, Connection>();
  sum = 0;

  add(client: string, bytes: number): void {
    this.clients.set(client, (this.clients.get(client) ?? 0) + bytes);
    this.sum += bytes;
  }
}

/** Counts the bytes that clients were given within a time. */
export class FixedBodies {
  readonly #window: number;
  #began = 0;
  #recent = new Span();
  #older = new Span();

  /** @param window Milliseconds for which bytes count, and for up to twice as long. */
  constructor(window: number) {
    this.#window = window;
  }

  /**
   * Counts a body that is handed over.
   *
   * @param now Milliseconds of a clock that only goes forward.
   * @param connection Address and port of the connection; undefined if they are unknown.
   * @returns false if the client has had too much: the body must be a stream
   */
  take(client: string, bytes: number, now: number, connection?: string): boolean {
    if (bytes > MAX_FIXED) return false;
    if (now - this.#began >= this.#window) this.#forget(now);
    const held = this.#follow(client, connection);
    const largest = Math.max(bytes, held?.largest ?? 0);
    const added = held === undefined
      ? bytes
      : Math.min(held.counted + bytes, HELD * largest) - held.counted;
    const recent = this.#recent;
    const had = (recent.clients.get(client) ?? 0) + (this.#older.clients.get(client) ?? 0);
    if (added > 0) {
      if (had + added > BUDGET || recent.sum + this.#older.sum + added > TOTAL) return false;
      recent.add(client, added);
    }
    if (held !== undefined) {
      held.counted += added;
      held.largest = largest;
    }
    return true;
  }

  /** Returns what a client was given on a connection; undefined if the connection is not followed. */
  #follow(client: string, connection: string | undefined): Connection | undefined {
    if (connection === undefined) return undefined;
    const name = `${client} ${connection}`;
    const { connections } = this.#recent;
    const known = connections.get(name);
    if (known !== undefined) return known;
    const older = this.#older;
    const before = older.connections.get(name);
    if (before === undefined && connections.size >= MAX_CONNECTIONS) return undefined;
    const held = before ?? { counted: 0, largest: 0 };
    connections.set(name, held);
    if (before !== undefined) {
      // What the connection may still hold is not forgotten while it is used.
      older.connections.delete(name);
      older.add(client, -held.counted);
      this.#recent.add(client, held.counted);
    }
    return held;
  }

  #forget(now: number): void {
    const isLongAgo = now - this.#began >= 2 * this.#window;
    this.#older = isLongAgo ? new Span() : this.#recent;
    this.#recent = new Span();
    this.#began = now;
  }
}
