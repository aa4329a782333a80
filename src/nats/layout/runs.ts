/**
 * Lists of numbers as short texts with equal neighbours counted, and seek tables made of them.
 *
 * A seek table lists the stream sequence of each chunk of a group. The chunks of one writer lie close together, often
 * without a gap, so the table is the first sequence and then the distance from each chunk to the next: `1a,1*63,3` in
 * base 36. It names every chunk, so that a range costs no more than its own chunks.
 * @module
 */

/** Most entries that a text may stand for; a hostile run length would fill the memory. */
const MAX_ENTRIES = 1 << 20;

/**
 * Returns the seek table of ascending stream sequences.
 *
 * @example Usage
 * ```ts
 * import { formatSequences, parseSequences } from "./runs.ts";
 * import { deepStrictEqual, strictEqual } from "node:assert/strict";
 *
 * strictEqual(formatSequences([46, 47, 48, 51]), "1a,1*2,3");
 * deepStrictEqual(parseSequences("1a,1*2,3"), [46, 47, 48, 51]);
 * ```
 */
export function formatSequences(sequences: readonly number[]): string {
  let before = 0;
  return formatRuns(
    sequences.map((sequence) => {
      const distance = sequence - before;
      before = sequence;
      return distance;
    }),
    36,
  );
}

/** Reads what {@linkcode formatSequences} wrote; returns undefined for a text that cannot be trusted. */
export function parseSequences(text: string | undefined): readonly number[] | undefined {
  const distances = parseRuns(text, 36);
  let sequence = 0;
  const sequences = distances?.map((distance) => sequence += distance);
  return distances?.every((distance) => distance > 0) ? sequences : undefined;
}

/** Returns numbers as text with equal neighbours counted: `5242880*3,17`. */
export function formatRuns(numbers: readonly number[], radix = 10): string {
  const runs: string[] = [];
  for (let i = 0, from = 0; i < numbers.length; i++) {
    if (numbers[i + 1] === numbers[from]) continue;
    const text = (numbers[from] ?? 0).toString(radix);
    const count = i + 1 - from;
    runs.push(count === 1 ? text : `${text}*${count.toString(radix)}`);
    from = i + 1;
  }
  return runs.join(",");
}

/** Reads what {@linkcode formatRuns} wrote; returns undefined for a text that cannot be trusted. */
export function parseRuns(text: string | undefined, radix = 10): readonly number[] | undefined {
  if (
    text === undefined || !/^[0-9a-z]+(?:\*[0-9a-z]+)?(?:,[0-9a-z]+(?:\*[0-9a-z]+)?)*$/.test(text)
  ) {
    return undefined;
  }
  const numbers: number[] = [];
  for (const run of text.split(",")) {
    const [number = NaN, count = 1] = run.split("*").map((part) => parseInt(part, radix));
    const fits = Number.isSafeInteger(number) && count >= 1 &&
      numbers.length + count <= MAX_ENTRIES;
    if (!fits) return undefined;
    for (let i = 0; i < count; i++) numbers.push(number);
  }
  return numbers;
}
