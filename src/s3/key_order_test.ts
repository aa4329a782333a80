import { ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { afterPrefix, compareUtf8 } from "./key_order.ts";

const WEIRD = [
  "",
  "a",
  "aa",
  "b",
  "é",
  "e\u0301",
  "\u0001",
  "！",
  "\ue000",
  "\uffff",
  "😀",
  "\ud7ff",
  "a😀",
  "a！",
  "\u{10ffff}",
];

Deno.test("compareUtf8() agrees with a comparison of the bytes", () => {
  for (const a of WEIRD) {
    for (const b of WEIRD) {
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
      strictEqual(Math.sign(compareUtf8(a, b)), bytes, `${a} ${b}`);
    }
  }
});

Deno.test("afterPrefix() returns the smallest text above all texts with the prefix", () => {
  for (const prefix of WEIRD.slice(1)) {
    const next = afterPrefix(prefix);
    for (const text of WEIRD) {
      if (text.startsWith(prefix) || compareUtf8(text, prefix) < 0) {
        ok(next === undefined || compareUtf8(text, next) < 0);
      } else ok(next !== undefined && compareUtf8(text, next) >= 0);
    }
  }
});
