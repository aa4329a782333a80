import { deepStrictEqual, throws } from "node:assert/strict";
import { parseTagging } from "./tagging.ts";

Deno.test("parseTagging() decodes", () => {
  deepStrictEqual(parseTagging(""), {});
  deepStrictEqual(parseTagging("k=&x=a%2Bb"), { k: "", x: "a+b" });
  deepStrictEqual(parseTagging("k"), { k: "" });
});

Deno.test("parseTagging() rejects the tags that AWS rejects", () => {
  const many = Array.from({ length: 11 }, (_, i) => `k${i}=v`).join("&");
  const rows: [string, string][] = [
    [many, "BadRequest"],
    ["a=1&a=2", "InvalidArgument"],
    ["a=%zz", "InvalidArgument"],
    ["=v", "InvalidTag"],
    ["aws:x=v", "InvalidTag"],
    [`${"k".repeat(129)}=v`, "InvalidTag"],
    [`k=${"v".repeat(257)}`, "InvalidTag"],
    ["k=%3C%3E", "InvalidTag"],
  ];
  for (const [header, code] of rows) throws(() => parseTagging(header), { code }, header);
});
