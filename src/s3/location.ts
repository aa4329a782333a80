/**
 * URLs in the `Location` header.
 * See https://www.rfc-editor.org/rfc/rfc3986#section-2
 * @module
 */

/**
 * Encodes the characters of a text that a URL cannot contain, and leaves those with a meaning in it, such as `?`, `#` and
 * `%`.
 *
 * @example Usage
 * ```ts
 * import { formatLocation } from "./location.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(formatLocation("/a b?c=é#!/d%20e"), "/a%20b?c=%C3%A9#!/d%20e");
 * strictEqual(formatLocation("/\\b.test\r\nset-cookie: a"), "/%5Cb.test%0D%0Aset-cookie:%20a");
 * ```
 */
export function formatLocation(text: string): string {
  return text.toWellFormed().replace(/[^!#-;=?-Z[\]_a-z~]/gu, encodeURIComponent);
}

/**
 * Encodes a key as the part of a path.
 *
 * @example Usage
 * ```ts
 * import { encodeKey } from "./location.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(encodeKey("a b/50%?"), "a%20b/50%25%3F");
 * ```
 */
export function encodeKey(key: string): string {
  return key.toWellFormed().split("/").map(encodeURIComponent).join("/");
}
