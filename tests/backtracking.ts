/**
 * Finds regular expressions whose time grows faster than the text that they are given, so that whoever sends the text
 * decides how long the gateway stands still.
 *
 * It knows two signs. Either two repetitions match the same characters, and nothing between them tells where the first
 * ends (`\s*(\d*)\s*`); or a lazy repetition looks for an end that may be missing, anew from each place of the text
 * (`<!--.*?-->`). It is a rule of thumb: it lets `\s+$` pass, and refuses some expressions that would do no harm.
 * @module
 */

/** A regular expression in source text. */
export type Literal = { readonly source: string; readonly flags: string };

const COMMENT = /\/\/.*|\/\*[^]*?\*\//;
const STRING = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/;
const TEMPLATE = /`(?<template>(?:[^`\\]|\\[^])*)`/;
/** A slash divides after a value; an expression stands behind an operator, a bracket or a keyword. */
const LITERAL =
  /(?<=(?:[(,=:[!&|?{};>]|\breturn|^)\s*)\/(?<source>(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/(?<flags>[a-z]*)/;
const TOKEN = new RegExp(
  [COMMENT, STRING, TEMPLATE, LITERAL].map(({ source }) => source).join("|"),
  "gm",
);

/** Returns the regular expressions of a TypeScript file, those in template strings too. */
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

/** The characters that a class matches, of those that tell classes apart. */
type Chars = ReadonlySet<string>;

/** A repeated class, followed by the classes that have stood behind it so far: it matches characters of each of them. */
type Open = readonly [Chars, ...Chars[]];

const SAMPLE = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).concat("\u2028");
const ATOM =
  /\[(?:[^\]\\]|\\[^])*\]|\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|[^])|[^]/y;
const QUANTIFIER = /(?:[*+?]|\{(?<min>\d+)(?<comma>,(?<max>\d*))?\})(?<lazy>\??)/y;
const GROUP = /\((?<look>\?<?[=!])?(?:\?:|\?<\w+>)?/y;

/** One pass over an expression. */
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
   * @param before Repetitions whose end nothing has told before it.
   * @returns Those whose end nothing has told behind it.
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
      if (max === Infinity) { // its end meets its own beginning
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
