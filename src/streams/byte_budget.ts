/**
 * A shared budget of bytes. A caller waits in line until others have returned enough of it.
 * @module
 */

/**
 * Hands out bytes in the order of the requests.
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
  readonly #line: { readonly bytes: number; readonly resolve: () => void }[] = [];

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
    if (this.#line.length === 0 && wanted <= this.#free) {
      this.#free -= wanted;
      return undefined;
    }
    return new Promise((resolve) => this.#line.push({ bytes: wanted, resolve }));
  }

  /** Takes bytes if they are free and no other caller is waiting. */
  takeNow(bytes: number): boolean {
    if (this.#line.length > 0 || bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  /** Gives back the bytes of one `take`. */
  give(bytes: number): void {
    this.#free += Math.min(bytes, this.#size);
    for (let first = this.#line[0]; first !== undefined; first = this.#line[0]) {
      if (first.bytes > this.#free) return;
      this.#free -= first.bytes;
      this.#line.shift();
      first.resolve();
    }
  }
}
