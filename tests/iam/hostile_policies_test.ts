/**
 * Gives the parser and the matcher of policies what costs them most: many wildcards, long runs of one character, deep and
 * long JSON.
 *
 * The tests assert that a hostile policy costs no more than a constant multiple of a plain one of its length, and that twice
 * the pattern on twice the text costs about four times as much. A matcher that backtracks would need thousands of times as
 * long. Times are the shortest of several, because the machine does something else at times.
 * @module
 */

import { ok } from "node:assert/strict";
import { parseConditions } from "../../src/iam/conditions.ts";
import { parsePolicy } from "../../src/iam/policy.ts";
import { PolicyError } from "../../src/iam/policy_error.ts";
import { parseTemplate } from "../../src/iam/template.ts";

/** Longest bucket policy, in characters. */
const POLICY = 20 * 1024;
/** How much longer than a plain policy of its length a hostile one may take. */
const MAX_RATIO = 50;
/** How much longer a text may take than the one before, which is half as long, or four characters shorter. */
const MAX_GROWTH = 12;
/** The shortest time that is compared, in milliseconds. */
const LEAST = 2;
const RUNS = 15;

/** Returns the shortest time of a run, in milliseconds; it stops at one that is short enough. */
function timeOf(run: () => unknown, enough = LEAST): number {
  let shortest = Infinity;
  for (let i = 0; i < RUNS && shortest > enough; i++) {
    const start = performance.now();
    run();
    shortest = Math.min(shortest, performance.now() - start);
  }
  return shortest;
}

function parse(text: string): void {
  try {
    parsePolicy(text, "bucket", { origin: "a test", bucket: "b" });
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
  }
}

function policyOf(elements: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: "*",
      Action: "s3:GetObject",
      Resource: "arn:aws:s3:::b/*",
      ...elements,
    },
  });
}

/** Returns many of one text, about as many characters as a policy may have. */
const many = (text: string): string => text.repeat(Math.floor((POLICY - 200) / text.length));
const list = (text: string): readonly string[] =>
  Array.from({ length: Math.floor((POLICY - 200) / (text.length + 3)) }, () => text);
const resource = (key: string): string => policyOf({ Resource: `arn:aws:s3:::b/${key}` });
const condition = (operator: string, key: string, value: unknown): string =>
  policyOf({ Condition: { [operator]: { [key]: value } } });

const POLICIES: Readonly<Record<string, string>> = {
  "stars": resource(many("*")),
  "question marks": resource(many("?")),
  "stars between letters": resource(many("a*")),
  "both wildcards": resource(many("a?*")),
  "variables": resource(many("${a}")),
  "open variables": resource(many("${")),
  "variables with defaults": resource(many("${a, '*'}")),
  "resources": policyOf({ Resource: list("arn:aws:s3:::b/*") }),
  "actions": policyOf({ Action: list("s3:*Object") }),
  "actions of stars": policyOf({ Action: `s3:${many("*")}` }),
  "an action that backtracks": policyOf({ Action: `s3:${many("*e")}` }),
  "principals": policyOf({ Principal: { AWS: list("111122223333") } }),
  "an ARN of colons": condition("ArnLike", "aws:SourceArn", many(":")),
  "an ARN of variables": condition("ArnLike", "aws:SourceArn", many("${a:b}")),
  "a number of digits": condition("NumericEquals", "s3:max-keys", many("1")),
  "a date of digits": condition("DateEquals", "aws:CurrentTime", many("1")),
  "base64": condition("BinaryEquals", "aws:Referer", many("AAAA")),
  "values": condition("StringLike", "aws:Referer", list("*a*")),
  "open brackets": many("[").replace("[", '{"a":'),
  "open braces": many('{"a":'),
  "members": `{${list("").map((_, i) => `"${i}":1`).join().slice(0, POLICY)}`,
  "backslashes": `{"Id":"${many("\\\\")}"}`,
  "quotation marks": `{"Id":${many('"')}}`,
  "a name of escapes": `{"${many("\\u0041")}":1}`,
};

Deno.test("no policy takes much longer to parse than a plain one of its length", () => {
  // Plain: as many statements as fit, each with one of everything.
  const [statement] = [JSON.parse(policyOf({})).Statement];
  const plain = JSON.stringify({ Statement: list(JSON.stringify(statement)).map(() => statement) });
  const usual = Math.max(timeOf(() => parse(plain)), LEAST);
  for (const [name, text] of Object.entries(POLICIES)) {
    const time = timeOf(() => parse(text), MAX_RATIO / 2 * usual);
    ok(time < MAX_RATIO * usual, `${name}: ${time} ms; a plain policy: ${usual} ms`);
  }
});

/** Patterns and texts of about a length. */
const PAIRS: Readonly<Record<string, (size: number) => readonly [string, string]>> = {
  "stars": (size) => ["*".repeat(size), "a".repeat(size)],
  "stars and an end": (size) => [`${"*".repeat(size)}b`, "a".repeat(size)],
  "letters and stars": (size) => [`${"a*".repeat(size / 2)}b`, "a".repeat(size)],
  "stars and letters": (size) => [`${"*a".repeat(size / 2)}*b`, "a".repeat(size)],
  "letters that nearly match": (size) => [`*${"a".repeat(size / 2)}b*`, "a".repeat(size)],
  "letters at an end": (size) => [`*${"a".repeat(size / 2)}b`, "a".repeat(size)],
  "question marks": (size) => [`*${"?".repeat(size / 2)}b*`, "a".repeat(size)],
  "letters and question marks": (size) => [`*${"a?".repeat(size / 4)}b*`, "a".repeat(size)],
  "all wildcards": (size) => [`${"a?*".repeat(size / 3)}b`, "a".repeat(size)],
  "short pieces": (size) => [`${"*aaab".repeat(size / 5)}`, "aaab".repeat(size / 4)],
};
const SIZES = [8, 12, 16, 20, 24, 28, 32, 64, 128, 256, 512, 1024, 2048];
const NOTHING = { get: () => undefined };

/** Asserts that the time for each size is at most a multiple of the time for the size before. */
function growsSlowly(name: string, timeFor: (size: number) => number): void {
  let before = LEAST;
  for (const size of SIZES) {
    const time = Math.max(timeFor(size), LEAST);
    ok(time <= MAX_GROWTH * before, `${name}: ${time} ms for ${size} characters, before ${before}`);
    before = time;
  }
}

for (const [name, pair] of Object.entries(PAIRS)) {
  Deno.test(`the time of a match grows with the lengths of the pattern and the text: ${name}`, () => {
    growsSlowly(name, (size) => {
      const [pattern, text] = pair(size);
      const template = parseTemplate(pattern, true);
      return timeOf(() => template.matches(text, NOTHING));
    });
  });
}

Deno.test("no client chooses how long a comparison takes", () => {
  const [like] = parseConditions({ StringLike: { k: `*${"a?".repeat(500)}b*` } }, true);
  const timeFor = (length: number): number => {
    const text = "a".repeat(length);
    return timeOf(() => like?.holds({ get: () => text }));
  };
  const [short, long] = [timeFor(8 * 1024), timeFor(64 * 1024)];
  ok(long < 4 * Math.max(short, LEAST), `${long} ms after ${short} ms`);
});
