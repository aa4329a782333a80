/**
 * Sequences of streams: those of a new stream begin with the time, so that they tell two streams of one name apart.
 * @module
 */

/** Sequences for each millisecond, more than JetStream stores. */
export const SEQUENCES_PER_MS = 1000;
/** The lowest sequence that is a time. */
const FIRST_TIMED = 1e15;
/** A distance between sequences that no two streams have. The messages of one write are seldom farther apart. */
export const NEAR = 10_000;

/** Returns the sequence with which a stream began if it is a time; 0 if it is not. */
export function timedSequence(first: unknown): number {
  return typeof first === "number" && first >= FIRST_TIMED ? first : 0;
}

/**
 * Tells what the ascending sequences of two messages prove. A bucket that is deleted and created again gets a new stream,
 * whose sequences begin far from those of the old one, see `newStreamConfig()`.
 *
 * @returns "either" for a stream that began with sequence 1, as those of native clients do
 *
 * @example Usage
 * ```ts
 * import { compareSequences } from "./sequences.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(compareSequences(1_796_000_000_000_007, 1_796_000_000_000_009), "one stream");
 * strictEqual(compareSequences(1_796_000_000_000_007, 1_796_000_001_000_004), "perhaps two");
 * strictEqual(compareSequences(7, 9), "either");
 * ```
 */
export function compareSequences(
  first: number,
  second: number,
): "one stream" | "perhaps two" | "either" {
  if (second < FIRST_TIMED) return "either";
  const distance = second - first;
  // The clock that a stream begins with may be behind that of the stream before.
  return distance >= 0 && distance <= NEAR ? "one stream" : "perhaps two";
}
