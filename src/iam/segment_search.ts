/**
 * Search for a text in which some characters may be any.
 * See https://en.wikipedia.org/wiki/Bitap_algorithm
 *
 * A plain search compares the whole segment at each position. Policies are written by tenants, so a long segment is looked for
 * with 32 of its characters at a time.
 * @module
 */

/** Texts with one character of any kind between two of them. */
export type Segment = {
  readonly pieces: readonly string[];
  /** With the characters of any kind. */
  readonly length: number;
};

/** Longest segment that is compared at each position. */
const MAX_COMPARED = 64;

/**
 * Returns the first position from `start` at which a segment stands and ends by `end`, or -1.
 *
 * @example Usage
 * ```ts
 * import { findSegment } from "./segment_search.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(findSegment({ pieces: ["a", "c"], length: 3 }, "abdabc", 0, 6), 3);
 * ```
 */
export function findSegment(segment: Segment, text: string, start: number, end: number): number {
  const { pieces: [only = "", ...others], length } = segment;
  if (start + length > end) return -1;
  if (others.length === 0) {
    const found = text.indexOf(only, start);
    return found < 0 || found + length > end ? -1 : found;
  }
  if (length > MAX_COMPARED) return searchWords(segment, text, start, end);
  for (let at = start; at + length <= end; at++) if (isAt(segment, text, at)) return at;
  return -1;
}

/** Returns whether a segment stands at a position. */
export function isAt({ pieces, length }: Segment, text: string, start: number): boolean {
  if (start < 0 || start + length > text.length) return false;
  let at = start;
  for (const piece of pieces) {
    if (!text.startsWith(piece, at)) return false;
    at += piece.length + 1;
  }
  return true;
}

/** Searches with a bit for each beginning of the segment that ends at the current character. */
function searchWords(segment: Segment, text: string, start: number, end: number): number {
  const { masks, any } = masksOf(segment);
  const state = new Int32Array(any.length);
  const last = any.length - 1;
  const isWhole = 1 << ((segment.length - 1) & 31);
  for (let i = start; i < end; i++) {
    const mask = masks.get(text.charCodeAt(i)) ?? any;
    let carry = 1;
    for (let word = 0; word <= last; word++) {
      const before = state[word] ?? 0;
      state[word] = (before << 1 | carry) & (mask[word] ?? 0);
      carry = before >>> 31;
    }
    if (((state[last] ?? 0) & isWhole) !== 0) return i + 1 - segment.length;
  }
  return -1;
}

/** Returns for each character, and for all others, a bit for each position of the segment at which it may stand. */
function masksOf(
  { pieces, length }: Segment,
): { readonly masks: ReadonlyMap<number, Int32Array>; readonly any: Int32Array } {
  const any = new Int32Array(Math.ceil(length / 32));
  let at = -1;
  for (const { length } of pieces.slice(0, -1)) {
    at += length + 1;
    any[at >> 5] = (any[at >> 5] ?? 0) | 1 << (at & 31);
  }
  const masks = new Map<number, Int32Array>();
  at = 0;
  for (const piece of pieces) {
    for (let i = 0; i < piece.length; i++, at++) {
      const code = piece.charCodeAt(i);
      const mask = masks.get(code) ?? any.slice();
      mask[at >> 5] = (mask[at >> 5] ?? 0) | 1 << (at & 31);
      masks.set(code, mask);
    }
    at++;
  }
  return { masks, any };
}
