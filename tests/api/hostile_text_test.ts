/**
 * Gives every parser of a header, a query, a path, a trailer or a document as many blanks, delimiters and carriage returns
 * as it accepts.
 *
 * The tests assert results, that a hostile text costs no more than a constant multiple of plain text of its length, and that
 * four times the text costs about four times as much. A quadratic parser needs sixteen times as long. What is compared is
 * the processor time of this thread, because the machine does something else at times.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import process from "node:process";
import { createPayload } from "../../src/auth/body.ts";
import { isS3Error } from "../../src/s3/errors.ts";
import { readWhole } from "../../src/streams/byte_source.ts";
import { readSources } from "../source_files.ts";
import { streamOf } from "../vectors/client.ts";
import { DOCUMENTS, ELSEWHERE, HEADERS, headersOf } from "./text_parsers.ts";

const HEADER = 64 * 1024;
const TRAILERS = 16 * 1024;
/** An eighth of the longest document, which takes seconds; `src/s3/xml_test.ts` has longer ones. */
const DOCUMENT = 1024 * 1024;
/** Documents whose times are compared: V8 needs four times as long for each byte of strings beyond about 512 KiB. */
const GROWN = 256 * 1024;
/** The same for the parsers of one root element each: they share the reader, which has longer texts of its own. */
const GROWN_ROOT = 64 * 1024;

const NOTHING = ["", ""] as const;
const BLANKS = [" ", "\t", "\r", " \r"];

/**
 * Returns texts of about this length: many of one unit, behind each beginning of a text that the parser accepts up to one
 * of its delimiters, and before several ends.
 */
function textsOf(
  limit: number,
  units: readonly string[],
  [begin, end]: readonly [string, string],
): string[] {
  const cuts = Array.from(
    begin.matchAll(/[^0-9A-Za-z]/g),
    ({ index }) => begin.slice(0, index + 1),
  );
  const beginnings = new Set(["", ...cuts, begin]);
  const ends = new Set(["", "x", "\rx", end]);
  return units.flatMap((unit) =>
    [...beginnings].flatMap((begin) =>
      [...ends].map((end) => {
        const count = Math.floor((limit - begin.length - end.length) / unit.length);
        return begin + unit.repeat(Math.max(count, 0)) + end;
      })
    )
  );
}

async function outcomeOf(parse: () => unknown): Promise<string> {
  try {
    await parse();
    return "taken";
  } catch (error) {
    if (isS3Error(error)) return error.code;
    throw error;
  }
}

type Parse = (text: string) => unknown;

/** How much longer than plain text of its length a hostile text may take, and than a quarter of it. */
const MAX_RATIO = 100;
const MAX_GROWTH = 12;
/** The shortest time that is compared, in milliseconds. */
const LEAST = 2;
/** Milliseconds below which no text takes too long. */
const QUICK = LEAST * MAX_GROWTH;
/** Milliseconds for which a text is parsed to measure it: systems count processor time in steps of up to 10 ms. */
const MEASURED = 60;
/** The number of times that a slow text is measured. */
const RUNS = 3;

/**
 * Asserts that no text takes much longer than plain text of its length, or much more than four times as long as a quarter
 * of it. It begins with short texts, so that a parser that fails does not take hours.
 *
 * @returns the outcomes of the texts of full length, sorted
 */
async function isLinear(
  limit: number,
  textsOf: (limit: number) => readonly string[],
  parse: Parse,
  plain: string = "a".repeat(limit),
): Promise<readonly string[]> {
  const outcomes = new Set<string>();
  let shorter: readonly string[] = [];
  for (const size of [limit / 64, limit / 16, limit / 4, limit]) {
    const texts = textsOf(size);
    for (const [i, text] of texts.entries()) {
      const began = performance.now();
      const outcome = await outcomeOf(() => parse(text));
      if (size === limit) outcomes.add(outcome);
      if (performance.now() - began < QUICK) continue;
      const problem = await growthOf(text, shorter[i], parse) ??
        (size === limit ? await slownessOf(text, plain, parse) : undefined);
      const shown = JSON.stringify(`${text.slice(0, 40)}…${text.slice(-10)}`);
      strictEqual(problem, undefined, `${shown} of ${text.length} characters takes ${problem}`);
    }
    shorter = texts;
  }
  return [...outcomes].sort();
}

/** Returns by how much longer a text takes than a quarter of it, if that is too much. */
function growthOf(
  text: string,
  quarter: string | undefined,
  parse: Parse,
): Promise<string | undefined> {
  if (quarter === undefined) return Promise.resolve(undefined);
  return exceeds(text, quarter, { parse, times: MAX_GROWTH, least: LEAST });
}

/** Returns by how much longer a text takes than plain text, if that is too much. */
function slownessOf(text: string, plain: string, parse: Parse): Promise<string | undefined> {
  return exceeds(text, plain, { parse, times: MAX_RATIO, least: LEAST });
}

/**
 * Compares the least costs of two texts until they are close enough, at most {@linkcode RUNS} times. The first look is at the
 * clock, which is enough on a machine that does nothing else.
 */
async function exceeds(
  text: string,
  other: string,
  { parse, times, least }: {
    readonly parse: Parse;
    readonly times: number;
    readonly least: number;
  },
): Promise<string | undefined> {
  let [whole, base] = [Infinity, Infinity];
  for (let run = 0; run < RUNS; run++) {
    const measure = run === 0 ? timeOf : costOf;
    whole = Math.min(whole, await measure(text, parse));
    if (whole < least * times) return undefined;
    base = Math.min(base, await measure(other, parse));
    if (whole < Math.max(base, least) * times) return undefined;
  }
  return `${whole} ms, and ${base} ms for ${other.length} of ${JSON.stringify(other.slice(0, 20))}`;
}

async function timeOf(text: string, parse: Parse): Promise<number> {
  const began = performance.now();
  await outcomeOf(() => parse(text));
  return performance.now() - began;
}

/** Returns the milliseconds of processor time that it takes to parse a text. */
async function costOf(text: string, parse: Parse): Promise<number> {
  const began = threadTime();
  for (let times = 1;; times++) {
    await outcomeOf(() => parse(text));
    const used = threadTime() - began;
    if (used >= MEASURED) return used / times;
  }
}

function threadTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

for (const [name, { parse, units, around = NOTHING, outcomes }] of Object.entries(HEADERS)) {
  Deno.test(`64 KiB of blanks, delimiters and carriage returns: ${name}`, async () => {
    const texts = (limit: number): string[] => textsOf(limit, [...BLANKS, ...units], around);
    deepStrictEqual(await isLinear(HEADER, texts, parse), [...outcomes].sort());
  });
}

const NAME = "x-amz-checksum-crc32";

/** Reads an upload that ends with these trailing headers. */
async function readUpload(trailers: string): Promise<unknown> {
  const wire = Buffer.from(`0\r\n${trailers}\r\n\r\n`, "latin1");
  const { source } = createPayload(
    headersOf({ "x-amz-decoded-content-length": "0", "x-amz-trailer": NAME }),
    streamOf(wire),
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    undefined,
  );
  return await readWhole(source, 10);
}

Deno.test("16 KiB of blanks, delimiters and carriage returns: trailing headers", async () => {
  const units = [...BLANKS, ":", `${NAME}:`, `${NAME}:\n`, "\n", "\r\n", "=", ";"];
  const texts = (limit: number): string[] => textsOf(limit, units, [`${NAME}:`, "b"]);
  const found = await isLinear(TRAILERS - 64, texts, readUpload);
  deepStrictEqual(found, ["MalformedTrailerError", "taken"]);
});

const TAKEN = ["MalformedXML", "taken"];
const REFUSED = ["MalformedXML"];
const UNITS: readonly (readonly [unit: string, outcomes: readonly string[]])[] = [
  ...BLANKS.map((unit) => [unit, TAKEN] as const),
  [">", TAKEN],
  ["]]>", TAKEN],
  ["&amp;", TAKEN],
  ["<!---->", TAKEN],
  ["<![CDATA[]]>", TAKEN],
  ["<", REFUSED],
  ["&", REFUSED],
  ["<?", REFUSED],
  ["<!--", REFUSED],
  ["<![CDATA[", REFUSED],
  ["<R>", REFUSED],
  ["</R>", REFUSED],
  ["<a/>", REFUSED],
  ["<a b='", REFUSED],
];

for (const [unit, outcomes] of UNITS) {
  Deno.test(`a long document of ${JSON.stringify(unit)} is ${outcomes.at(-1) === "taken" ? "taken if it ends" : "refused"}`, async () => {
    for (const [root, parse] of Object.entries(DOCUMENTS)) {
      const texts = (limit: number): string[] => {
        const long = unit.repeat(Math.floor(limit / unit.length));
        return [`<${root}>${long}`, `<${root}>${long}</${root}>`];
      };
      const limit = root === "R" ? GROWN : GROWN_ROOT;
      await isLinear(limit, texts, parse, `<${root}>${"a".repeat(limit)}</${root}>`);
      if (root === "R") {
        const found = [];
        for (const text of texts(DOCUMENT)) found.push(await outcomeOf(() => parse(text)));
        deepStrictEqual([...new Set(found)], outcomes);
      }
    }
  });
}

/** Exported functions that turn text into values. */
const PARSER =
  /^export (?:async )?function\*? ((?:parse|decode|read|verify|canonical)[A-Z]\w*|\w+Param)\b/gm;
const ROOMS = /^(?:auth|s3|operations|access|http)\//;

Deno.test("every exported parser of what clients send is in the tables, or named with a reason", async () => {
  const tables = await Deno.readTextFile(new URL("./text_parsers.ts", import.meta.url));
  const [imports = ""] = tables.split("/** Creates headers");
  const sources = await readSources(`${import.meta.dirname}/../../src`);
  const names = sources.filter(({ path }) => ROOMS.test(path))
    .flatMap(({ text }) => Array.from(text.matchAll(PARSER), ([, name = ""]) => name));
  ok(names.length > 50, `only ${names.length} were found`);
  const isTimed = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(imports);
  deepStrictEqual(names.filter((name) => !isTimed(name) && !Object.hasOwn(ELSEWHERE, name)), []);
  deepStrictEqual(
    Object.keys(ELSEWHERE).filter((name) => isTimed(name) || !names.includes(name)),
    [],
  );
});
