/**
 * Entity tags: bare in code, quoted on the wire.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
 * and https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
 * @module
 */

import { createHash } from "node:crypto";

/**
 * Returns the ETag of a multipart object: the MD5 of the parts' MD5s, then the number of parts.
 *
 * @example Usage
 * ```ts
 * import { multipartETag } from "./etag.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(multipartETag(["d41d8cd98f00b204e9800998ecf8427e"]), "59adb24ef3cdbe0297f05b395827453f-1");
 * ```
 */
export function multipartETag(md5s: readonly string[]): string {
  const hash = createHash("md5");
  for (const md5 of md5s) hash.update(md5, "hex");
  return `${hash.digest("hex")}-${md5s.length}`;
}

/**
 * Quotes an ETag for the wire.
 *
 * @example Usage
 * ```ts
 * import { quoteETag } from "./etag.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(quoteETag("abc"), '"abc"');
 * ```
 */
export function quoteETag(etag: string): string {
  return `"${etag}"`;
}

/**
 * Parses an ETag, quoted or bare, into a bare one. Clients send both.
 *
 * @example Usage
 * ```ts
 * import { parseETag } from "./etag.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(parseETag(' "abc" '), "abc");
 * strictEqual(parseETag("abc"), "abc");
 * ```
 */
export function parseETag(text: string): string {
  const tag = text.trim().replace(/^W\//, "");
  return tag.length >= 2 && tag.startsWith('"') && tag.endsWith('"') ? tag.slice(1, -1) : tag;
}

/**
 * Parses the list in `If-Match` or `If-None-Match` into bare ETags, or `"*"` for any object.
 *
 * @example Usage
 * ```ts
 * import { parseETagList } from "./etag.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(parseETagList('"a", W/"b", c'), ["a", "b", "c"]);
 * deepStrictEqual(parseETagList("*"), "*");
 * ```
 */
export function parseETagList(text: string): "*" | readonly string[] {
  if (parseETag(text) === "*") return "*";
  // A quoted tag may contain a comma.
  return Array.from(text.matchAll(/(?:W\/)?"[^"]*"|[^\s,]+/g), ([tag]) => parseETag(tag));
}
