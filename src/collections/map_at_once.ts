/**
 * Asynchronous work on many items, a limited number at a time.
 * @module
 */

/**
 * Maps items with an asynchronous function, a limited number at a time.
 *
 * @param limit Maximum number of simultaneous calls.
 * @returns the results in the order of the items; rejects with the first error and then starts no other call
 *
 * @example Usage
 * ```ts
 * import { mapAtOnce } from "./map_at_once.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(await mapAtOnce([1, 2, 3], 2, (n) => Promise.resolve(n * n)), [1, 4, 9]);
 * ```
 */
export async function mapAtOnce<T, U>(
  items: readonly T[],
  limit: number,
  change: (item: T) => Promise<U>,
): Promise<readonly U[]> {
  const results = new Array<U>(items.length);
  const rest = items.entries();
  let failed = false;
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, async () => {
    for (const [i, item] of rest) {
      if (failed) return;
      try {
        results[i] = await change(item);
      } catch (cause) {
        failed = true;
        throw cause;
      }
    }
  }));
  return results;
}
