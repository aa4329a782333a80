/**
 * Turns of requests with a body. Each client's bodies are received some at a time, and its others wait in line before
 * the runtime reads anything of them. So a thousand uploads at once neither fill the memory nor keep the only thread busy
 * for seconds.
 *
 * A body that waits for its client needs no turn: it gives its own to one that waits, and takes another when more
 * arrives.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import type { ByteSource } from "../streams/byte_source.ts";
import { startTicker, stopTicker, type Timer } from "../world/world.ts";

/** Small bodies of one client that are received at the same time, as far as their bytes are there. */
const TURNS = 256;
/** Bytes of a small body. The runtime reads it at once. */
const SMALL = 64 * 1024;
/** Turns that a larger body takes. */
const LARGE = 4;
/** Bytes of one turn. A longer body then waits for the next one, if others wait. */
const TURN_BYTES = 1024 * 1024;
/** Milliseconds after which a body that waits for its client gives its turn away. */
const STILL = 100;
/** The number of these intervals in which no turn of a client ends, after which more of its requests get one. */
const STUCK = 10;

/** Returns whether a body of so many bytes, or of an unknown number, may take several turns. */
export function isLong(size: number | undefined): boolean {
  return size === undefined || size > TURN_BYTES;
}

/** A request with a body, as far as its turns are concerned. */
export type Receiver = {
  readonly client: string | undefined;
  /** Turns that it has: none, one, or as many as a large body takes. */
  bodyTurns: number;
};

/** A request in line. It is told whether it has its turn, or is turned away. */
type Waiting = {
  readonly receiver: Receiver;
  readonly turns: number;
  readonly tell: (hasTurn: boolean) => void;
};

/** The requests of one client that wait. */
type Line = {
  /** The first one has its turn next. */
  readonly waiting: Waiting[];
  /** Turns that the client may have. They become more while the store is stuck, so that its requests fail together. */
  turns: number;
  /** Intervals since a turn has ended. */
  ticks: number;
};

/**
 * Gives turns to the requests of each client in the order of their arrival. As long as no client has more bodies at once
 * than it has turns, it only counts them.
 */
export class BodyTurns {
  /** Turns that each client has now. */
  readonly #held = new Map<string, number>();
  /** The requests of each client that wait. */
  readonly #lines = new Map<string, Line>();
  readonly #endStill: (age: number) => void;
  #ticker: Timer | undefined;

  /**
   * @param endStill Ends the turns of those that have waited for their clients for so many milliseconds. It is called now
   * and then while others wait.
   */
  constructor(endStill: (age: number) => void) {
    this.#endStill = endStill;
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#lines.values().reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  /**
   * Takes the turn of a body.
   *
   * @param size Bytes of the body; undefined if their number is unknown.
   * @returns undefined if it has one; otherwise a promise of whether it has one, or is turned away
   */
  take(receiver: Receiver, size: number | undefined): Promise<boolean> | undefined {
    const client = receiver.client ?? "";
    const held = this.#held.get(client) ?? 0;
    const turns = size === undefined || size > SMALL ? LARGE : 1;
    if (held + turns <= TURNS && (this.#lines.size === 0 || !this.#lines.has(client))) {
      receiver.bodyTurns = turns;
      this.#held.set(client, held + turns);
      return undefined;
    }
    return new Promise((tell) => {
      const line = this.#lines.get(client);
      const waiting = { receiver, turns, tell };
      if (line === undefined) {
        this.#lines.set(client, { waiting: [waiting], turns: TURNS, ticks: 0 });
      } else line.waiting.push(waiting);
      this.#ticker ??= startTicker(STILL, () => this.#onTick());
    });
  }

  /** Ends a turn, if the request has one. */
  end(receiver: Receiver): void {
    if (receiver.bodyTurns === 0) return;
    const client = receiver.client ?? "";
    const held = (this.#held.get(client) ?? 0) - receiver.bodyTurns;
    receiver.bodyTurns = 0;
    if (held > 0) this.#held.set(client, held);
    else this.#held.delete(client);
    const line = this.#lines.size > 0 ? this.#lines.get(client) : undefined;
    if (line === undefined) return;
    line.ticks = 0;
    this.#next(client, line);
  }

  /**
   * Returns a source that ends the turn of its request when it has had its bytes and others wait, and waits for a turn
   * before it hands out what it read without one.
   *
   * A read that is turned away fails with `SlowDown`.
   */
  divide(source: ByteSource, receiver: Receiver): ByteSource {
    let bytes = 0;
    return {
      read: async () => {
        if (bytes >= TURN_BYTES && this.#lines.has(receiver.client ?? "")) this.end(receiver);
        if (receiver.bodyTurns === 0) bytes = 0;
        const piece = await source.read();
        if (piece === undefined) return undefined;
        bytes += piece.length;
        if (receiver.bodyTurns > 0 || (await this.take(receiver, undefined) ?? true)) return piece;
        const error = new S3Error("SlowDown");
        await source.cancel(error);
        throw error;
      },
      cancel: (reason) => source.cancel(reason),
    };
  }

  /**
   * Turns a request away that waits: the last one of the client that has most of them in line, among the clients for
   * which `accepts` is true.
   *
   * @returns whether there was one
   */
  turnAway(accepts: (client: string) => boolean): boolean {
    let most = 0;
    let longest = "";
    for (const [client, { waiting }] of this.#lines) {
      if (waiting.length <= most || !accepts(client)) continue;
      [most, longest] = [waiting.length, client];
    }
    this.#lines.get(longest)?.waiting.pop()?.tell(false);
    if (most === 1) this.#forget(longest);
    return most > 0;
  }

  /** Gives turns to a client's first requests in line, as far as there are any. */
  #next(client: string, { waiting, turns }: Line): void {
    let held = this.#held.get(client) ?? 0;
    for (let next = waiting[0]; next && held + next.turns <= turns; next = waiting[0]) {
      waiting.shift();
      next.receiver.bodyTurns = next.turns;
      this.#held.set(client, held += next.turns);
      next.tell(true);
    }
    if (waiting.length === 0) this.#forget(client);
  }

  #onTick(): void {
    this.#endStill(STILL);
    for (const [client, line] of this.#lines) {
      if (++line.ticks < STUCK) continue;
      line.ticks = 0;
      line.turns += TURNS;
      this.#next(client, line);
    }
  }

  /** Forgets a line in which nobody waits. */
  #forget(client: string): void {
    this.#lines.delete(client);
    if (this.#lines.size > 0) return;
    stopTicker(this.#ticker);
    this.#ticker = undefined;
  }
}
