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

/**
 * Reads what {@linkcode formatSequences} wrote; returns undefined for a text that cannot be trusted.
 *
 * @param max Most entries that the text may stand for.
 */
export function parseSequences(
  text: string | undefined,
  max?: number,
): readonly number[] | undefined {
  const numbers = parseRuns(text, 36, max);
  if (numbers === undefined) return undefined;
  let sequence = 0;
  for (const distance of numbers) {
    sequence += distance;
    if (distance === 0 || !Number.isSafeInteger(sequence)) return undefined;
  }
  sequence = 0;
  return numbers.map((distance) => sequence += distance);
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

/**
 * Reads what {@linkcode formatRuns} wrote; returns undefined for a text that cannot be trusted.
 *
 * @param max Most entries that the text may stand for.
 */
export function parseRuns(
  text: string | undefined,
  radix = 10,
  max = MAX_ENTRIES,
): readonly number[] | undefined {
  if (text === undefined) return undefined;
  const numbers: number[] = [];
  for (let at = 0; at <= text.length;) {
    const comma = text.indexOf(",", at);
    const end = comma === -1 ? text.length : comma;
    const run = text.slice(at, end);
    const star = run.indexOf("*");
    const number = parseNumber(star === -1 ? run : run.slice(0, star), radix);
    const count = star === -1 ? 1 : parseNumber(run.slice(star + 1), radix);
    if (number === undefined || count === undefined || count === 0) return undefined;
    if (numbers.length + count > Math.min(max, MAX_ENTRIES)) return undefined;
    for (let i = 0; i < count; i++) numbers.push(number);
    at = end + 1;
  }
  return numbers;
}

/** Returns a number in its one spelling; undefined for any other text. */
function parseNumber(text: string, radix: number): number | undefined {
  const number = text.length > MAX_DIGITS ? NaN : Number.parseInt(text, radix);
  const isNumber = Number.isSafeInteger(number) && number >= 0 && number.toString(radix) === text;
  return isNumber ? number : undefined;
}

/** Most digits of a safe integer. */
const MAX_DIGITS = 16;
