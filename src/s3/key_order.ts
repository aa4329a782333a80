/**
 * The order of keys in a listing: by UTF-8 bytes.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 * @module
 */

/** Keys in the order of their UTF-8 bytes, each in an entry with its properties. */
export interface SortedKeys<Entry extends { readonly key: string }> {
  /** Iterates over the entries in order, from the first key at or above this text. */
  from(text: string): Iterator<Entry>;
}

/**
 * Compares by UTF-8 bytes. JavaScript compares UTF-16 units, which puts U+1F600 (as its surrogates) before U+FF01.
 *
 * @returns Negative, zero or positive, for `Array.prototype.sort`.
 *
 * @example Usage
 * ```ts
 * import { compareUtf8 } from "./key_order.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(["😀", "！", "a"].sort(compareUtf8), ["a", "！", "😀"]);
 * ```
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointOrder(x) - codePointOrder(y);
  }
  return a.length - b.length;
}

/** Lifts surrogates above the rest of the basic plane, because they stand for code points that follow it. */
function codePointOrder(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/**
 * Returns the smallest text above every text with this prefix; undefined if no text is above them.
 *
 * @example Usage
 * ```ts
 * import { afterPrefix } from "./key_order.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(afterPrefix("a/"), "a0");
 * strictEqual(afterPrefix("a\u{10ffff}"), "b");
 * strictEqual(afterPrefix(""), undefined);
 * ```
 */
export function afterPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0) ?? 0;
    if (point < 0x10ffff) {
      // Skip the surrogates: they are not characters and have no UTF-8.
      return points.join("") + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
    }
  }
  return undefined;
}

/** Returns an index over a sorted array, which uses binary search. */
export function sortedKeys<Entry extends { readonly key: string }>(
  sorted: readonly Entry[],
): SortedKeys<Entry> {
  return {
    *from(text): Iterator<Entry> {
      for (let i = lowerBound(sorted, text); i < sorted.length; i++) yield sorted[i] as Entry;
    },
  };
}

/**
 * Returns the position of the first entry whose key is at or above a text.
 *
 * @example Usage
 * ```ts
 * import { lowerBound } from "./key_order.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(lowerBound([{ key: "a" }, { key: "c" }], "b"), 1);
 * ```
 */
export function lowerBound(sorted: readonly { readonly key: string }[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(sorted[middle]?.key ?? "", text) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
