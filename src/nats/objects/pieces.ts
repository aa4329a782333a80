/**
 * Positions of chunks: which pieces of which chunks hold a range of bytes.
 * @module
 */

/** A group whose chunks' sequences are known. */
export type KnownGroup = {
  readonly subject: string;
  /** Stream sequence of each chunk. */
  readonly sequences: readonly number[];
  /** Start of each chunk in bytes, and at the end the size of the group: one entry more than `sequences`. */
  readonly offsets: readonly number[];
};

/** A stretch of one chunk. */
export type Piece = {
  readonly group: KnownGroup;
  readonly chunk: number;
  /** Position within the chunk, as is `end`, which is exclusive. */
  readonly start: number;
  readonly end: number;
};

/** Returns the offsets of a group whose chunks have one size, except the last one. */
export function uniformOffsets(chunks: number, chunkSize: number, size: number): readonly number[] {
  return Array.from({ length: chunks + 1 }, (_, i) => i === chunks ? size : i * chunkSize);
}

/**
 * Returns the pieces of a group that hold bytes `start` to `end` (exclusive).
 *
 * @example Usage
 * ```ts
 * import { piecesOf, uniformOffsets } from "./pieces.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const group = { subject: "", sequences: [7, 8, 9], offsets: uniformOffsets(3, 10, 25) };
 * const pieces = [...piecesOf(group, 5, 22)].map(({ chunk, start, end }) => [chunk, start, end]);
 * deepStrictEqual(pieces, [[0, 5, 10], [1, 0, 10], [2, 0, 2]]);
 * ```
 */
export function* piecesOf(group: KnownGroup, start: number, end: number): Generator<Piece> {
  const { offsets } = group;
  for (let chunk = chunkAt(offsets, start); chunk < offsets.length - 1; chunk++) {
    const [from = 0, to = 0] = [offsets[chunk], offsets[chunk + 1]];
    if (from >= end) return;
    yield { group, chunk, start: Math.max(start - from, 0), end: Math.min(end, to) - from };
  }
}

/** Returns the last chunk that begins at or before a position. */
function chunkAt(offsets: readonly number[], position: number): number {
  let low = 0;
  let high = offsets.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((offsets[middle] ?? 0) <= position) low = middle;
    else high = middle;
  }
  return low;
}
