/**
 * Turns of requests that cost much, such as lists: a client has some at a time, and its others wait in line. So one client's
 * lists neither keep the only thread busy for seconds nor fill the memory.
 * @module
 */

/** Requests of one client that may cost much at the same time, until their responses were taken. */
const AT_ONCE = 16;
/** Requests of one client that wait in line; each holds a place in flight. */
const MAX_WAITING = 64;

type Line = { running: number; readonly waiting: (() => void)[] };

/** Gives turns to the requests of each client in the order of their arrival. */
export class Turns {
  readonly #lines = new Map<string, Line>();

  /**
   * Takes a turn, which the caller must give back.
   *
   * @returns undefined if the caller has its turn, a promise if it must wait, `"full"` if too many wait
   */
  take(client: string): Promise<void> | "full" | undefined {
    const line = this.#lines.get(client) ?? { running: 0, waiting: [] };
    this.#lines.set(client, line);
    if (line.waiting.length >= MAX_WAITING) return "full";
    if (line.running >= AT_ONCE) return new Promise((resolve) => line.waiting.push(resolve));
    line.running++;
    return undefined;
  }

  /** Gives a turn back: to the next request in line. */
  give(client: string): void {
    const line = this.#lines.get(client);
    if (line === undefined) return;
    const next = line.waiting.shift();
    if (next !== undefined) return next();
    if (--line.running === 0) this.#lines.delete(client);
  }
}
