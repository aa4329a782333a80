import { strictEqual } from "node:assert/strict";
import { decodeHeaderText, encodeHeaderText } from "./header_text.ts";

Deno.test("encodeHeaderText() and decodeHeaderText() round-trip", () => {
  for (const text of ["", "abc", "é", "e\u0301", "漢字 😀", "\u00ff"]) {
    const value = encodeHeaderText(text);
    new Headers({ "x": value }); // every character is a byte
    strictEqual(decodeHeaderText(value), text);
  }
});
