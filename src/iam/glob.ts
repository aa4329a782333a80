/**
 * Patterns with wildcards: `*` is any text and `?` is any one character.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 *
 * A pattern is cut at its stars, and the pieces are looked for from left to right, each one once. So the time is bounded by
 * the length of the text times the length of the pattern, however many stars there are.
 * @module
 */

import { findSegment, isAt, type Segment } from "./segment_search.ts";

/** A part of a pattern: text that is compared as it is, or a wildcard. */
export type GlobToken = { readonly text: string } | "*" | "?";

/** A compiled pattern. */
export class Glob {
  readonly #segments: readonly Segment[];
  /** The text before the first wildcard. */
  readonly #head: string;
  /** What follows the head, if it is nothing or one star: most patterns are such. */
  readonly #rest: "nothing" | "star" | undefined;

  constructor(tokens: readonly GlobToken[]) {
    const segments: string[][] = [[""]];
    for (const token of tokens) {
      const last = segments.at(-1) ?? [];
      if (token === "*") segments.push([""]);
      else if (token === "?") last.push("");
      else last[last.length - 1] += token.text;
    }
    this.#segments = segments.map((pieces) => ({ pieces, length: lengthOf(pieces) }));
    const [[head = "", ...pieces] = [], second, ...others] = segments;
    this.#head = head;
    const isStar = second?.length === 1 && second[0] === "" && others.length === 0;
    this.#rest = pieces.length > 0
      ? undefined
      : second === undefined
      ? "nothing"
      : isStar
      ? "star"
      : undefined;
  }

  /** Returns whether the pattern matches the whole text. */
  matches(text: string): boolean {
    if (!beginsWith(text, this.#head)) return false;
    if (this.#rest === "star") return true;
    if (this.#rest === "nothing") return text.length === this.#head.length;
    const segments = this.#segments;
    const first = segments[0];
    const last = segments[segments.length - 1];
    if (first === undefined || last === undefined || !isAt(first, text, 0)) return false;
    if (segments.length === 1) return first.length === text.length;
    const end = text.length - last.length;
    let at = first.length;
    for (let i = 1; i < segments.length - 1; i++) {
      const segment = segments[i];
      if (segment === undefined) continue;
      at = findSegment(segment, text, at, end);
      if (at < 0) return false;
      at += segment.length;
    }
    return at <= end && isAt(last, text, end);
  }
}

/** Returns whether a text begins with another. For short texts, a call of the runtime takes longer than the comparison. */
export function beginsWith(text: string, head: string): boolean {
  const last = head.length - 1;
  // Resources that begin alike differ at the end of the beginning.
  if (last >= 0 && text.charCodeAt(last) !== head.charCodeAt(last)) return false;
  if (last > SHORT) return text.startsWith(head);
  for (let i = 0; i < last; i++) if (text.charCodeAt(i) !== head.charCodeAt(i)) return false;
  return true;
}

const SHORT = 48;

/** Returns the tokens of a text in which every `*` and `?` is a wildcard. */
export function globTokens(text: string): readonly GlobToken[] {
  const tokens: GlobToken[] = [];
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const char = text[i];
    if (i < text.length && char !== "*" && char !== "?") continue;
    if (i > start) tokens.push({ text: text.slice(start, i) });
    if (char === "*" || char === "?") tokens.push(char);
    start = i + 1;
  }
  return tokens;
}

/**
 * Compiles a text in which every `*` and `?` is a wildcard.
 *
 * @example Usage
 * ```ts
 * import { parseGlob } from "./glob.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(parseGlob("arn:aws:s3:::photos/*").matches("arn:aws:s3:::photos/2024/a.jpg"), true);
 * strictEqual(parseGlob("a?c").matches("ac"), false);
 * ```
 */
export function parseGlob(text: string): Glob {
  return new Glob(globTokens(text));
}

function lengthOf(pieces: readonly string[]): number {
  return pieces.reduce((sum, { length }) => sum + length, pieces.length - 1);
}
