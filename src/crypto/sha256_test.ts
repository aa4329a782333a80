import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";
import { hmacOfText, sha256Of, sha256OfText } from "./sha256.ts";

const TEXTS = [0, 1, 55, 56, 64, 200, 5000, 100_000].map((length) =>
  Array.from({ length }, (_, i) => String.fromCharCode((i * 7 + length) % 256)).join("")
);

Deno.test("sha256OfText() and hmacOfText() agree with node:crypto", () => {
  const keys = [0, 1, 32, 64, 65, 200].map((length) => new Uint8Array(Buffer.alloc(length, "key")));
  for (const text of [...TEXTS, ...TEXTS.toReversed()]) {
    strictEqual(sha256OfText(text), createHash("sha256").update(text, "latin1").digest("hex"));
    for (const key of keys) {
      strictEqual(
        hmacOfText(key, text),
        createHmac("sha256", key).update(text, "latin1").digest("hex"),
      );
    }
  }
});

Deno.test("sha256Of() agrees with node:crypto, and its results are separate", () => {
  const digests = TEXTS.map((text) => sha256Of(Buffer.from(text, "latin1")));
  const expected = TEXTS.map((text) => createHash("sha256").update(text, "latin1").digest("hex"));
  deepStrictEqual(digests.map((digest) => Buffer.from(digest).toString("hex")), expected);
});
