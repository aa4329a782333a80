/**
 * A shared budget of bytes. A caller waits in line until others have returned enough of it.
 * @module
 */

import { currentClient } from "./clients_work.ts";

/** A caller that waits. */
type Waiting = { readonly bytes: number; readonly resolve: () => void };

/**
 * Hands out bytes in the order of the requests. If those of several clients wait, each client has its turn after the other:
 * however many requests one has in line, the next client waits for one of them and not for all.
 *
 * @example Usage
 * ```ts
 * import { ByteBudget } from "./byte_budget.ts";
 *
 * const budget = new ByteBudget(100);
 * await budget.take(60);
 * const waiting = budget.take(60); // until the first 60 are returned
 * budget.give(60);
 * await waiting;
 * ```
 */
export class ByteBudget {
  readonly #size: number;
  #free: number;
  /** The requests of each client that wait, none of them empty. The first client has its turn next. */
  readonly #lines = new Map<string | undefined, Waiting[]>();

  /** @param size Bytes that may be taken at the same time. */
  constructor(size: number) {
    this.#size = size;
    this.#free = size;
  }

  /** Bytes that are taken now. */
  get used(): number {
    return this.#size - this.#free;
  }

  /**
   * Takes bytes, which the caller must give back. A request for more than the whole budget takes all of it.
   *
   * @returns undefined if the bytes were free; otherwise a promise that resolves when they are taken
   */
  take(bytes: number): Promise<void> | undefined {
    const wanted = Math.min(bytes, this.#size);
    if (this.#lines.size === 0 && wanted <= this.#free) {
      this.#free -= wanted;
      return undefined;
    }
    const client = currentClient();
    return new Promise((resolve) => {
      const waiting = { bytes: wanted, resolve };
      const line = this.#lines.get(client);
      if (line === undefined) this.#lines.set(client, [waiting]);
      else line.push(waiting);
    });
  }

  /** Takes bytes if they are free and no other caller is waiting. */
  takeNow(bytes: number): boolean {
    if (this.#lines.size > 0 || bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  /** Gives back the bytes of one `take`. */
  give(bytes: number): void {
    this.#free += Math.min(bytes, this.#size);
    // A client that still has requests in line goes to the end, where this loop comes to it again.
    for (const [client, line] of this.#lines) {
      const [first] = line;
      if (first === undefined || first.bytes > this.#free) return;
      this.#free -= first.bytes;
      line.shift();
      this.#lines.delete(client);
      if (line.length > 0) this.#lines.set(client, line);
      first.resolve();
    }
  }
}
