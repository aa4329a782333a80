import { ok, strictEqual } from "node:assert/strict";
import { parseGlob } from "./glob.ts";

/** Returns numbers that look random and are the same each time. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed;;) {
    state = Math.imul(state, 1664525) + 1013904223 | 0;
    yield state >>> 16;
  }
}

function textOf(random: Iterator<number, never>, alphabet: string, max: number): string {
  const length = random.next().value % (max + 1);
  return Array.from({ length }, () => alphabet[random.next().value % alphabet.length]).join("");
}

/** Compares position by position, with the positions of the pattern that each character may have reached. */
function matchesNaively(pattern: string, text: string): boolean {
  let reached = new Set([0]);
  const skip = (set: Set<number>): Set<number> => {
    for (const at of set) if (pattern[at] === "*") set.add(at + 1);
    return set;
  };
  reached = skip(reached);
  for (const char of text) {
    const next = new Set<number>();
    for (const at of reached) {
      if (pattern[at] === "*") next.add(at);
      else if (pattern[at] === "?" || pattern[at] === char) next.add(at + 1);
    }
    reached = skip(next);
  }
  return reached.has(pattern.length);
}

Deno.test("a glob matches what a naive comparison matches", () => {
  const random = numbers(19);
  let matched = 0;
  for (let i = 0; i < 20_000; i++) {
    const pattern = textOf(random, "aab?*", 8);
    const text = textOf(random, "aab", 12);
    const expected = matchesNaively(pattern, text);
    strictEqual(parseGlob(pattern).matches(text), expected, `"${pattern}" and "${text}"`);
    if (expected) matched++;
  }
  ok(matched > 1000, `only ${matched} matched`);
});

Deno.test("a glob finds long texts with question marks where a naive comparison finds them", () => {
  const random = numbers(20);
  let matched = 0;
  for (let i = 0; i < 400; i++) {
    const text = textOf(random, "aaab", 300);
    const start = random.next().value % (text.length + 1);
    const piece = text.slice(start, start + 65 + random.next().value % 70);
    const chars = Array.from(
      piece,
      (char) => ["?", char, char, char, char === "a" && i % 2 === 0 ? "b" : char],
    ).map((choices) => choices[random.next().value % choices.length]);
    const pattern = `*${chars.join("")}*${i % 3 === 0 ? "?b" : ""}`;
    const expected = matchesNaively(pattern, text);
    strictEqual(parseGlob(pattern).matches(text), expected, `"${pattern}" and "${text}"`);
    if (expected) matched++;
  }
  ok(matched > 50 && matched < 350, `${matched} matched`);
});

Deno.test("four times the text costs a glob about four times as much, whatever the pattern", () => {
  const patterns = [
    ...["*a".repeat(200) + "*b*c", "*" + "a?".repeat(100) + "b*", "*" + "a".repeat(200) + "b*"],
    "*" + "a".repeat(100) + "?" + "a".repeat(100) + "b*",
    "*?".repeat(200) + "b",
  ];
  for (const pattern of patterns) {
    const glob = parseGlob(pattern);
    const shortest = (text: string): number => {
      const times = Array.from({ length: 6 }, () => {
        const start = performance.now();
        for (let i = 0; i < 4; i++) strictEqual(glob.matches(text), false);
        return performance.now() - start;
      });
      return Math.min(...times);
    };
    const ratio = () => shortest("a".repeat(32_000)) / shortest("a".repeat(8_000));
    ok(Math.min(ratio(), ratio(), ratio()) < 8, pattern.slice(0, 20));
  }
});
