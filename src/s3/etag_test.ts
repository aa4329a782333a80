import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { multipartETag, parseETag, parseETagList } from "./etag.ts";

Deno.test("multipartETag() counts its parts", () => {
  const md5 = "d41d8cd98f00b204e9800998ecf8427e";
  strictEqual(multipartETag([md5, md5]).slice(-2), "-2");
});

Deno.test("parseETag() accepts every form that clients send", () => {
  for (const [text, etag] of [['"a"', "a"], ["a", "a"], ['W/"a"', "a"], ['"', '"'], ["", ""]]) {
    strictEqual(parseETag(text as string), etag);
  }
});

Deno.test("parseETagList() splits at commas outside quotes", () => {
  deepStrictEqual(parseETagList('"a,b" ,c,"d"'), ["a,b", "c", "d"]);
  deepStrictEqual(parseETagList('"*"'), "*");
  deepStrictEqual(parseETagList(""), []);
});
