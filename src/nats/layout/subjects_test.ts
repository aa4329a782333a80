import { strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ObjectKey } from "../../s3/names.ts";
import { encodeKey, infoSubject, keyOfSubject, type StoreName } from "./subjects.ts";

const store = "photos" as StoreName;

Deno.test("keyOfSubject() finds the key of infoSubject()", () => {
  const keys = ["a", "ab", "abc", "abcd", "é", "\u{1f600}", "\ufeffx", "\u0000", "a/b c", "\uffff"];
  for (const key of [...keys, "k".repeat(1024), "\u{10ffff}".repeat(256)]) {
    strictEqual(keyOfSubject(store, infoSubject(store, key as ObjectKey)), key as ObjectKey);
  }
});

Deno.test("keyOfSubject() takes one spelling of a key and nothing else", () => {
  const refused = [
    "",
    "YQ", // without padding
    "YQ=",
    "YQ===",
    "YR==", // bits behind the last byte
    "YWJ=",
    "Y===",
    "====",
    "=Q==",
    "Y=Q=",
    "YWI+", // base64 of another alphabet
    "YWI/",
    "YWI.",
    "YWé=",
    "YW\u0141=",
    "gA==", // 0x80: not UTF-8
    "7aCA", // a surrogate
    encodeKey("k".repeat(1025) as ObjectKey),
    encodeKey("k".repeat(4000) as ObjectKey),
  ];
  for (const token of refused) strictEqual(keyOfSubject(store, `$O.photos.M.${token}`), undefined);
  strictEqual(keyOfSubject(store, "$O.other.M.YQ=="), undefined);
});

Deno.test("keyOfSubject() agrees with a general decoder on any token", () => {
  const letters = "AQZagz09-_=+";
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
  for (let i = 0; i < 20_000; i++) {
    const token = Array.from({ length: random(9) }, () => letters[random(letters.length)]).join("");
    const text = Buffer.from(token, "base64url").toString("utf8");
    const expected = text !== "" && encodeKey(text as ObjectKey) === token ? text : undefined;
    strictEqual(keyOfSubject(store, `$O.photos.M.${token}`), expected as ObjectKey | undefined);
  }
});
