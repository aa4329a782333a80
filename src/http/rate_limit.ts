/**
 * Limits how many requests each user may send in a second, with one token bucket for each.
 * @module
 */

/** Seconds' worth of the rate that a user may send at once after a quiet time. */
const BURST = 2;

/** The tokens that a user has left; they are refilled when the bucket is next used. */
type Bucket = { tokens: number; at: number };

/**
 * Counts requests of users. It keeps a bucket for every user it has seen, so count authenticated users only.
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
   * Counts a request if the user may send one now.
   *
   * @returns Milliseconds until the user may send one; 0 if the request was counted.
   */
  take(user: string): number {
    const now = this.#now();
    const max = this.#rate * BURST;
    let bucket = this.#users.get(user);
    if (bucket === undefined) this.#users.set(user, bucket = { tokens: max, at: now });
    bucket.tokens = Math.min(max, bucket.tokens + (now - bucket.at) / 1000 * this.#rate);
    bucket.at = now;
    if (bucket.tokens < 1) return (1 - bucket.tokens) / this.#rate * 1000;
    bucket.tokens--;
    return 0;
  }
}
