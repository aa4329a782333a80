/**
 * Random numbers of a seed.
 * @module
 */

/** A generator that gives the same numbers for the same seed. */
export class Random {
  #state: number;

  /** @param seed An integer. */
  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0;
    for (let i = 0; i < 4; i++) this.next();
  }

  /** Returns a number of at least 0 and below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns an integer of at least 0 and below a limit. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Tells whether something of a probability happens. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Returns one of some values. */
  pick<T>(values: readonly T[]): T {
    if (values.length === 0) throw new RangeError("Nothing to pick from");
    return values[this.below(values.length)] as T; // the index is within the array
  }

  /** Returns a number between two others, near the first one mostly: its logarithm is uniform. */
  between(least: number, most: number): number {
    return least * (most / least) ** this.next();
  }

  /** Returns random bytes. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.below(256);
    return bytes;
  }

  /** Returns a generator of its own, so that what it decides does not depend on how often others ask. */
  fork(): Random {
    return new Random(this.below(2 ** 32));
  }
}
