/**
 * A cache of limited size, which drops the least recently used values first.
 * @module
 */

/**
 * A map from texts to values, each with a weight. Together they weigh at most the limit.
 *
 * @example Usage
 * ```ts
 * import { BoundedCache } from "./bounded_cache.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const cache = new BoundedCache<string>(2);
 * cache.set("a", "A", 1);
 * cache.set("b", "B", 1);
 * cache.get("a");
 * cache.set("c", "C", 1);
 * strictEqual(cache.get("b"), undefined);
 * strictEqual(cache.get("a"), "A");
 * ```
 */
export class BoundedCache<Value> {
  readonly #limit: number;
  readonly #entries = new Map<string, { readonly value: Value; readonly weight: number }>();
  #weight = 0;

  /** @param limit Maximum total weight, in the caller's unit. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // A Map keeps the order of insertion, so move the used entry to the end.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: Value, weight: number): void {
    this.delete(key);
    if (weight > this.#limit) return;
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.#limit) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#weight -= this.#entries.get(key)?.weight ?? 0;
    this.#entries.delete(key);
  }
}
