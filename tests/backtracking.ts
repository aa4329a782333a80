/**
 * Finds regular expressions whose running time grows faster than their input: with one of those, the sender of a text
 * decides how long the gateway blocks.
 *
 * It knows two signs. Either two repetitions match the same characters, and nothing between them marks the end of the
 * first one (`\s*(\d*)\s*`). Or a lazy repetition searches for an end that may be missing, again from every position of
 * the text (`<!--.*?-->`). It is a heuristic: it accepts `\s+$`, and rejects some harmless expressions.
 * @module
 */

/** A regular expression in source text. */
export type Literal = { readonly source: string; readonly flags: string };

const COMMENT = /\/\/.*|\/\*[^]*?\*\//;
const STRING = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/;
const TEMPLATE = /`(?<template>(?:[^`\\]|\\[^])*)`/;
/** Matches an expression: a slash after a value divides, one after an operator, a bracket or a keyword begins it. */
const LITERAL =
  /(?<=(?:[(,=:[!&|?{};>]|\breturn|^)\s*)\/(?<source>(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/(?<flags>[a-z]*)/;
const TOKEN = new RegExp(
  [COMMENT, STRING, TEMPLATE, LITERAL].map(({ source }) => source).join("|"),
  "gm",
);

/** Returns the regular expressions in a TypeScript file, including those in template strings. */
export function literalsOf(text: string): Literal[] {
  return Array.from(text.matchAll(TOKEN), ({ groups }) => {
    const { template, source, flags = "" } = groups ?? {};
    if (source !== undefined) return [{ source, flags }];
    return Array.from(template?.matchAll(/\$\{([^}]*)\}/g) ?? [], ([, inside = ""]) => inside)
      .flatMap(literalsOf);
  }).flat();
}

/** Returns whether an expression shows one of the two signs. */
export function backtracks({ source, flags }: Literal): boolean {
  const scan = new Scan(source, flags);
  scan.alternatives([]);
  return scan.overlaps || scan.isLazy && !source.startsWith("^");
}

/** The sample characters that a class matches. */
type Chars = ReadonlySet<string>;

/** A repeated class and the classes after it so far; a repetition overlaps if it shares characters with all of them. */
type Open = readonly [Chars, ...Chars[]];

const SAMPLE = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).concat("\u2028");
const ATOM =
  /\[(?:[^\]\\]|\\[^])*\]|\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|[^])|[^]/y;
const QUANTIFIER = /(?:[*+?]|\{(?<min>\d+)(?<comma>,(?<max>\d*))?\})(?<lazy>\??)/y;
const GROUP = /\((?<look>\?<?[=!])?(?:\?:|\?<\w+>)?/y;

/** One scan of an expression. */
class Scan {
  overlaps = false;
  isLazy = false;
  readonly #source: string;
  readonly #flags: string;
  #at = 0;

  constructor(source: string, flags: string) {
    this.#source = source;
    this.#flags = flags.replace(/[dgmy]/g, "");
  }

  /**
   * Scans up to the end of a group.
   *
   * @param before Repetitions before the group whose end nothing has marked yet.
   * @returns Repetitions whose end nothing has marked after the group.
   */
  alternatives(before: readonly Open[]): readonly Open[] {
    const ended: Open[] = [];
    let open = before;
    while (this.#at < this.#source.length && this.#source[this.#at] !== ")") {
      if (this.#source[this.#at] === "|") {
        this.#at++;
        ended.push(...open);
        open = before;
      } else open = this.#term(open);
    }
    return [...ended, ...open];
  }

  #term(before: readonly Open[]): readonly Open[] {
    const start = this.#at;
    const group = this.#take(GROUP);
    if (group !== undefined) {
      let after = this.alternatives(before);
      this.#at++;
      const { min, max } = this.#quantifier();
      const end = this.#at;
      if (max === Infinity) { // the group's end is followed by its own beginning
        this.#at = start;
        this.#take(GROUP);
        after = this.alternatives([...before, ...after]);
        this.#at = end;
      }
      if (group["look"] !== undefined) return before;
      return min === 0 ? [...before, ...after] : after;
    }

    this.#take(ATOM);
    const atom = this.#source.slice(start, this.#at);
    if (["^", "$", "\\b", "\\B"].includes(atom)) return before;
    const pattern = new RegExp(`^(?:${atom})$`, this.#flags);
    const chars = new Set(SAMPLE.filter((char) => pattern.test(char)));
    const { min, max } = this.#quantifier();
    if (max === Infinity && before.some((open) => open.every((other) => meets(other, chars)))) {
      this.overlaps = true;
    }
    const after = min === 0 ? before : before.filter(([repeated]) => meets(repeated, chars))
      .map((open): Open => [...open, chars]);
    return max === Infinity ? [...after, [chars]] : after;
  }

  #quantifier(): { min: number; max: number } {
    const start = this.#at;
    const groups = this.#take(QUANTIFIER);
    if (groups === undefined) return { min: 1, max: 1 };
    const { min, comma, max, lazy } = groups;
    const sign = this.#source[start];
    const least = min === undefined ? (sign === "+" ? 1 : 0) : Number(min);
    const isOpen = sign === "*" || sign === "+" || (comma !== undefined && max === "");
    if (isOpen && lazy === "?") this.isLazy = true;
    return { min: least, max: isOpen ? Infinity : Math.max(least, 1) };
  }

  #take(pattern: RegExp): Readonly<Record<string, string | undefined>> | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#source);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match.groups ?? {};
  }
}

function meets(a: Chars, b: Chars): boolean {
  return !a.isDisjointFrom(b);
}
