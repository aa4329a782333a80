/**
 * How many requests each user may send in a second: a token bucket for each.
 * @module
 */

/** Seconds of the rate that a user who was quiet may use up at once. */
const BURST = 2;

/** What a user has left; it is filled up when somebody looks. */
type Bucket = { tokens: number; at: number };

/**
 * Counts requests of users, of whom there must be a bounded number: ask only about those who have proved who they are.
 *
 * @example Usage
 * ```ts
 * import { RateLimit } from "./rate_limit.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * let time = 0;
 * const limit = new RateLimit(1, () => time);
 * strictEqual(limit.take("ann"), 0);
 * strictEqual(limit.take("ann"), 0);
 * strictEqual(limit.take("ann"), 1000);
 * time += 1000;
 * strictEqual(limit.take("ann"), 0);
 * ```
 */
export class RateLimit {
  readonly #rate: number;
  readonly #now: () => number;
  readonly #users = new Map<string, Bucket>();

  /**
   * @param rate Requests in a second, on average.
   * @param now Milliseconds of a clock that only goes forward.
   */
  constructor(rate: number, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#now = now;
  }

  /**
   * Counts a request, if the user may send one now.
   *
   * @returns Milliseconds until the user may send one; 0 for now.
   */
  take(user: string): number {
    const now = this.#now();
    const most = this.#rate * BURST;
    let bucket = this.#users.get(user);
    if (bucket === undefined) this.#users.set(user, bucket = { tokens: most, at: now });
    bucket.tokens = Math.min(most, bucket.tokens + (now - bucket.at) / 1000 * this.#rate);
    bucket.at = now;
    if (bucket.tokens < 1) return (1 - bucket.tokens) / this.#rate * 1000;
    bucket.tokens--;
    return 0;
  }
}
