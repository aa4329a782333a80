import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { parseCopyRange, parseRange } from "./range.ts";

Deno.test("parseRange() takes the three forms", () => {
  const rows: [string | null, { start: number; end: number } | undefined][] = [
    ["bytes=0-0", { start: 0, end: 0 }],
    ["bytes=0-99", { start: 0, end: 9 }],
    ["bytes=9-", { start: 9, end: 9 }],
    ["bytes=-1", { start: 9, end: 9 }],
    ["bytes=-99", { start: 0, end: 9 }],
    ["Bytes = 1 - 2", { start: 1, end: 2 }],
    [null, undefined],
    ["", undefined],
    ["bytes=", undefined],
    ["bytes=-", undefined],
    ["bytes=5-1", undefined],
    ["bytes=a-b", undefined],
    ["bytes=0-1,3-4", undefined],
    ["items=0-1", undefined],
    ["bytes 0-1", undefined],
    ["bytes=1", undefined],
    ["bytes=1 2-3", undefined],
    ["bytes=--1", undefined],
    ["bytes==0-1", undefined],
    ["\tBYTES\t=\t1-\t", { start: 1, end: 9 }],
  ];
  for (const [header, range] of rows) {
    deepStrictEqual(parseRange(header, 10), range, String(header));
  }
});

Deno.test("parseRange() ignores 64 KiB that are no range", () => {
  for (const unit of [" ", "\t", "\r", "-", "=", ",", "bytes=", "0"]) {
    const long = unit.repeat(65_536 / unit.length);
    for (const header of [`bytes=${long}x`, `bytes${long}x`, `${long}x`, `bytes=0-${long}x`]) {
      strictEqual(parseRange(header, 10), undefined, unit);
    }
  }
});

Deno.test("parseRange() refuses what holds no byte", () => {
  for (const header of ["bytes=10-", "bytes=10-20", "bytes=-0"]) {
    throws(() => parseRange(header, 10), {
      code: "InvalidRange",
      fields: { ActualObjectSize: 10, RangeRequested: header },
    });
  }
  for (const header of ["bytes=0-", "bytes=-1", "bytes=0-0"]) {
    throws(() => parseRange(header, 0), { code: "InvalidRange" });
  }
});

Deno.test("parseCopyRange() takes only a whole range within the source", () => {
  deepStrictEqual(parseCopyRange("bytes=2-9", 10), { start: 2, end: 9 });
  for (const header of ["bytes=2-", "bytes=-2", "bytes=3-2", "2-3", "bytes=0-10", ""]) {
    throws(() => parseCopyRange(header, 10), { code: "InvalidArgument" }, header);
  }
  strictEqual(parseCopyRange("bytes=0-0", 1).end, 0);
});
