import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  checkCopySource,
  checkRead,
  checkWrite,
  isSameForRange,
  parseReadPrecondition,
  parseWritePrecondition,
} from "./conditions.ts";
import { isS3Error } from "./errors.ts";

const object = { etag: "abc", size: 3, modified: new Date("2024-05-01T10:00:00.500Z") };
const before = "Wed, 01 May 2024 09:00:00 GMT";
const same = "Wed, 01 May 2024 10:00:00 GMT";

function outcome(headers: Record<string, string>): string {
  try {
    checkRead(parseReadPrecondition(new Headers(headers)), object);
    return "ok";
  } catch (cause) {
    if (isS3Error(cause)) return cause.code;
    throw cause;
  }
}

Deno.test("checkRead() follows AWS's order of precedence", () => {
  const rows: [Record<string, string>, string][] = [
    [{}, "ok"],
    [{ "if-match": '"abc"' }, "ok"],
    [{ "if-match": "*" }, "ok"],
    [{ "if-match": '"x"' }, "PreconditionFailed"],
    [{ "if-match": '"abc"', "if-unmodified-since": before }, "ok"],
    [{ "if-unmodified-since": before }, "PreconditionFailed"],
    [{ "if-unmodified-since": same }, "ok"],
    [{ "if-none-match": '"abc"' }, "NotModified"],
    [{ "if-none-match": '"x", "abc"' }, "NotModified"],
    [{ "if-none-match": '"x"' }, "ok"],
    [{ "if-none-match": '"x"', "if-modified-since": same }, "ok"],
    [{ "if-none-match": '"abc"', "if-modified-since": before }, "NotModified"],
    [{ "if-modified-since": same }, "NotModified"],
    [{ "if-modified-since": before }, "ok"],
    [{ "if-modified-since": "yesterday" }, "ok"],
    [{ "if-match": '"x"', "if-none-match": '"abc"' }, "PreconditionFailed"],
  ];
  for (const [headers, expected] of rows) {
    strictEqual(outcome(headers), expected, JSON.stringify(headers));
  }
});

Deno.test("checkRead() sends validators with 304", () => {
  throws(() => checkRead({ ifNoneMatch: "*" }, object), {
    headers: { "etag": '"abc"', "last-modified": same },
  });
});

Deno.test("checkCopySource() fails with 412 where a read fails with 304", () => {
  const headers = new Headers({ "x-amz-copy-source-if-none-match": "abc" });
  throws(() => checkCopySource(parseReadPrecondition(headers, "x-amz-copy-source-"), object), {
    code: "PreconditionFailed",
  });
});

Deno.test("parseWritePrecondition() accepts only * for If-None-Match", () => {
  const parse = (headers: Record<string, string>) => parseWritePrecondition(new Headers(headers));
  deepStrictEqual(parse({}), {});
  deepStrictEqual(parse({ "if-none-match": "*" }), { ifNoneMatch: "*" });
  deepStrictEqual(parse({ "if-match": '"abc"' }), { ifMatch: "abc" });
  throws(() => parse({ "if-none-match": '"abc"' }), { code: "NotImplemented" });
  throws(() => parse({ "if-none-match": "*", "if-match": "a" }), { code: "NotImplemented" });
});

Deno.test("checkWrite() checks the current object", () => {
  checkWrite({}, undefined, "k");
  checkWrite({ ifMatch: "*" }, object, "k");
  checkWrite({ ifMatch: "abc" }, object, "k");
  throws(() => checkWrite({ ifMatch: "x" }, object, "k"), { code: "PreconditionFailed" });
  throws(() => checkWrite({ ifMatch: "*" }, undefined, "k"), { code: "NoSuchKey" });
});

Deno.test("isSameForRange() accepts only what names the object exactly", () => {
  const rows: readonly (readonly [ifRange: string | null, same: boolean])[] = [
    [null, true],
    ['"abc"', true],
    ["abc", true],
    [' "abc" ', true],
    [same, true],
    ['W/"abc"', false],
    ['"other"', false],
    ['"other", "abc"', false],
    ["*", false],
    ['"*"', false],
    [before, false],
    ["Wed, 01 May 2024 11:00:00 GMT", false],
    ["2024-05-01T10:00:00Z", false],
    ["", false],
  ];
  for (const [ifRange, expected] of rows) {
    strictEqual(isSameForRange(ifRange, object), expected, String(ifRange));
  }
});
