/**
 * Gives every parser of a header, a query, a trailer or a document as many blanks, delimiters and carriage returns as it
 * accepts.
 *
 * The tests assert results, and that hostile text costs no more than a constant multiple of plain text of the same length.
 * A parser whose time is quadratic in the text needs thousands of times as long.
 * @module
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPayload } from "../../src/auth/body.ts";
import { parseChecksumHeader } from "../../src/s3/checksum_headers.ts";
import { parseReadPrecondition, parseWritePrecondition } from "../../src/s3/conditions.ts";
import { parseContinuationToken } from "../../src/s3/continuation_token.ts";
import { parseCopySource } from "../../src/s3/copy_source.ts";
import { isS3Error } from "../../src/s3/errors.ts";
import { parseETagList } from "../../src/s3/etag.ts";
import { TrustedProxies } from "../../src/s3/forwarded.ts";
import { decodeHeaderText } from "../../src/s3/header_text.ts";
import { parseContentMD5, parseIntegrity } from "../../src/s3/integrity.ts";
import { parseProperties } from "../../src/s3/metadata.ts";
import { parseBucketName, parseObjectKey, parseUploadId } from "../../src/s3/names.ts";
import { integerParam, prefixParam, refuseVersionId } from "../../src/s3/params.ts";
import { parseCopyRange, parseRange } from "../../src/s3/range.ts";
import { parseQuery } from "../../src/s3/request.ts";
import type { RequestHeaders } from "../../src/s3/request_headers.ts";
import { parseTagging } from "../../src/s3/tagging.ts";
import { parseXml } from "../../src/s3/xml_reader.ts";
import { readWhole } from "../../src/streams/byte_source.ts";
import { streamOf } from "../vectors/client.ts";

const HEADER = 64 * 1024;
const TRAILERS = 16 * 1024;
/** An eighth of the longest document, which takes seconds; `src/s3/xml_test.ts` has longer ones. */
const DOCUMENT = 1024 * 1024;

const NOTHING = ["", ""] as const;
const BLANKS = [" ", "\t", "\r", " \r"];

/** Creates headers with characters that the runtime's `Headers` would refuse, such as a carriage return. */
function headersOf(values: Readonly<Record<string, string>>): RequestHeaders {
  const map = new Map(Object.entries(values));
  return {
    get: (name) => map.get(name) ?? null,
    has: (name) => map.has(name),
    keys: () => map.keys(),
    [Symbol.iterator]: () => map[Symbol.iterator](),
  };
}

/** Returns texts of about this length: units alone, before a text, after it, and between two. */
function textsOf(
  limit: number,
  units: readonly string[],
  [begin, end]: readonly [string, string],
): string[] {
  return units.flatMap((unit) => {
    const long = unit.repeat(Math.floor((limit - begin.length - end.length - 2) / unit.length));
    return [long, `${long}x`, `x${long}`, `x${long}\rx`, begin + long, begin + long + end];
  });
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

type Row = {
  readonly parse: (text: string) => unknown;
  /** The parser's own delimiters. */
  readonly units: readonly string[];
  /** Beginning and end of a text that the parser accepts. */
  readonly around?: readonly [begin: string, end: string];
  /** The permitted outcomes, each of which must occur. */
  readonly outcomes: readonly string[];
};

const HEADERS: Readonly<Record<string, Row>> = {
  "Range": {
    parse: (text) => parseRange(text, 10),
    units: ["bytes=", "=", "-", ",", "0"],
    around: ["bytes=0", "-"],
    outcomes: ["taken"],
  },
  "x-amz-copy-source-range": {
    parse: (text) => parseCopyRange(text, 10),
    units: ["bytes=", "=", "-", "0"],
    around: ["bytes=0", "-1"],
    outcomes: ["InvalidArgument", "taken"],
  },
  "If-Match": {
    parse: (text) => parseETagList(text),
    units: [",", '"', "W/", 'W/"', '",', "*"],
    around: ['"', '"'],
    outcomes: ["taken"],
  },
  "If-Modified-Since": {
    parse: (text) => parseReadPrecondition(headersOf({ "if-modified-since": text })),
    units: [",", ":", "(", "()", "0", "-"],
    around: ["Fri, ", " 24 May 2013 00:00:00 GMT"],
    outcomes: ["taken"],
  },
  "If-None-Match of a write": {
    parse: (text) => parseWritePrecondition(headersOf({ "if-none-match": text })),
    units: [",", '"', "W/", "*"],
    around: ['"', '"'],
    outcomes: ["NotImplemented"],
  },
  "x-amz-copy-source": {
    parse: parseCopySource,
    units: ["/", "?", "?versionId=", "%2F", "%", "arn:"],
    around: ["bucket/key", "?versionId=null"],
    outcomes: ["InvalidArgument", "KeyTooLongError", "NotImplemented"],
  },
  "x-amz-tagging": {
    parse: parseTagging,
    units: ["&", "=", "a&", "a=b&", "%20", "%"],
    around: ["a=", "b"],
    outcomes: ["InvalidArgument", "InvalidTag", "taken"],
  },
  "x-amz-meta-*": {
    parse: (text) =>
      parseProperties(headersOf({ "x-amz-meta-a": text, "content-type": text }), {
        encryptionAtRest: false,
      }),
    units: [",", "=?UTF-8?B?", "\u00c3\u00a9"],
    around: ["=?UTF-8?Q?", "?="],
    outcomes: ["MetadataTooLarge"],
  },
  "text in a header": {
    parse: decodeHeaderText,
    units: ["=?", "\u00c3", "\u00c3\u00a9"],
    outcomes: ["taken"],
  },
  "Content-MD5": { parse: parseContentMD5, units: ["=", "A", "+"], outcomes: ["InvalidDigest"] },
  "x-amz-checksum-*": {
    parse: (text) => parseChecksumHeader(headersOf({ "x-amz-checksum-crc32": text })),
    units: ["=", "A", "-", "-1"],
    around: ["AAAAAA==", "-1"],
    outcomes: ["InvalidRequest"],
  },
  "x-amz-trailer": {
    parse: (text) => parseIntegrity(headersOf({ "x-amz-trailer": text })),
    units: [",", "a,", "x-amz-checksum-"],
    around: ["x-amz-checksum-crc32", ","],
    outcomes: ["InvalidRequest", "taken"],
  },
  "x-amz-content-sha256 and Content-Encoding": {
    parse: (text) =>
      createPayload(
        headersOf({
          "content-encoding": text,
          "x-amz-decoded-content-length": "0",
          "x-amz-trailer": text,
        }),
        null,
        "UNSIGNED-PAYLOAD",
        undefined,
      ),
    units: [",", "aws-chunked", "aws-chunked ", ", ,"],
    around: [",aws-chunked", ","],
    outcomes: ["InvalidRequest", "taken"],
  },
  "X-Forwarded-For": {
    parse: (text) =>
      new TrustedProxies(["10.0.0.0/8"]).originOf(
        "10.0.0.1",
        headersOf({ "x-forwarded-for": text, "x-forwarded-host": text, "x-forwarded-proto": text }),
      ),
    units: [",", "10.0.0.1,", "[", "]", ":", "[::1]:", "1."],
    around: ["[::1]", ":80"],
    outcomes: ["taken"],
  },
  "a query": {
    parse: parseQuery,
    units: ["&", "=", "+", "%20", "%", "a&"],
    around: ["a=", "&b"],
    outcomes: ["InvalidURI", "taken"],
  },
  "a continuation token": {
    parse: parseContinuationToken,
    units: ["=", "A", "_"],
    outcomes: ["InvalidArgument"],
  },
  "an integer": {
    parse: (text) => integerParam(new Map([["n", text]]), "n", { max: 10, default: 1 }),
    units: ["-", "0", "1"],
    around: ["-", "1"],
    outcomes: ["InvalidArgument"],
  },
  "a prefix": {
    parse: (text) => prefixParam(new Map([["prefix", text]])),
    units: ["/"],
    outcomes: ["InvalidArgument"],
  },
  "a version id": { parse: refuseVersionId, units: ["-", "a", "."], outcomes: ["InvalidArgument"] },
  "a bucket's name": {
    parse: parseBucketName,
    units: [".", "-", "a.", "a"],
    outcomes: ["InvalidBucketName"],
  },
  "a key": { parse: parseObjectKey, units: ["/", "../"], outcomes: ["KeyTooLongError"] },
  "an upload id": { parse: parseUploadId, units: ["-", "a"], outcomes: ["NoSuchUpload"] },
};

for (const [name, { parse, units, around = NOTHING, outcomes }] of Object.entries(HEADERS)) {
  Deno.test(`64 KiB of blanks, delimiters and carriage returns: ${name}`, async () => {
    const texts = textsOf(HEADER, [...BLANKS, ...units], around);
    const found = new Set<string>();
    for (const text of texts) found.add(await outcomeOf(() => parse(text)));
    deepStrictEqual([...found].sort(), [...outcomes].sort());
    await isLinear(texts, "a".repeat(HEADER), parse);
  });
}

/** How much longer than plain text of its length a hostile text may take; the least that is measured, in milliseconds. */
const MAX_RATIO = 100;
const LEAST = 1;

/** Asserts that no text takes much longer than plain text. */
async function isLinear(
  texts: readonly string[],
  plain: string,
  parse: (text: string) => unknown,
): Promise<void> {
  const base = Math.max(await timeOf(plain, parse), LEAST);
  for (const text of texts) {
    const ratio = await timeOf(text, parse) / base;
    ok(ratio < MAX_RATIO, `${JSON.stringify(text.slice(0, 40))} takes ${ratio} times as long`);
  }
}

/** Returns the shortest of some times, in milliseconds: others include what else the machine does. */
async function timeOf(text: string, parse: (text: string) => unknown): Promise<number> {
  let shortest = Infinity;
  for (let run = 0; run < 3; run++) {
    const began = performance.now();
    await outcomeOf(() => parse(text));
    shortest = Math.min(shortest, performance.now() - began);
  }
  return shortest;
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
  const found = new Set<string>();
  for (const text of textsOf(TRAILERS - 64, units, [`${NAME}:`, "b"])) {
    found.add(await outcomeOf(() => readUpload(text)));
  }
  deepStrictEqual([...found].sort(), ["MalformedTrailerError", "taken"]);
  await isLinear(
    textsOf(TRAILERS - 64, units, [`${NAME}:`, "b"]),
    "a".repeat(TRAILERS - 64),
    readUpload,
  );
});

const TAKEN = ["MalformedXML", "taken"];
const REFUSED = ["MalformedXML"];
const DOCUMENTS: readonly (readonly [unit: string, outcomes: readonly string[]])[] = [
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

for (const [unit, outcomes] of DOCUMENTS) {
  Deno.test(`a long document of ${JSON.stringify(unit)} is ${outcomes.at(-1) === "taken" ? "taken if it ends" : "refused"}`, async () => {
    const long = unit.repeat(DOCUMENT / unit.length);
    const found = [];
    for (const text of [`<R>${long}`, `<R>${long}</R>`]) {
      found.push(await outcomeOf(() => parseXml(text, "R", 20_000)));
    }
    deepStrictEqual([...new Set(found)], outcomes);
    const parse = (text: string): unknown => parseXml(text, "R", 20_000);
    await isLinear([`<R>${long}`, `<R>${long}</R>`], `<R>${"a".repeat(DOCUMENT)}</R>`, parse);
  });
}
