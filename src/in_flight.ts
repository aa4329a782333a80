/**
 * Requests in flight: how many there are, and may be.
 * @module
 */

/**
 * Counts requests up to a limit.
 *
 * @example Usage
 * ```ts
 * import { InFlight } from "./in_flight.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const inFlight = new InFlight(1);
 * const leave = inFlight.enter();
 * strictEqual(inFlight.enter(), undefined);
 * leave?.();
 * strictEqual(inFlight.count, 0);
 * ```
 */
export class InFlight {
  readonly limit: number;
  #count = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Requests that have entered and not left. */
  get count(): number {
    return this.#count;
  }

  /**
   * Lets one more in; undefined when there are too many.
   *
   * @returns What to call when the request has ended; calls after the first change nothing.
   */
  enter(): (() => void) | undefined {
    if (this.#count >= this.limit) return undefined;
    this.#count++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#count--;
    };
  }
}
