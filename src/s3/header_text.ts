/**
 * Text in headers. The runtime presents header values as latin1, one character per byte, but clients send UTF-8.
 *
 * AWS returns text beyond US-ASCII as RFC 2047 encoded words. We return the bytes that the client sent.
 * @module
 */

import { Buffer } from "node:buffer";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Decodes the text of a header. A value that is not UTF-8 stays latin1.
 *
 * @example Usage
 * ```ts
 * import { decodeHeaderText } from "./header_text.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(decodeHeaderText("\u00c3\u00a9"), "é");
 * strictEqual(decodeHeaderText("\u00e9"), "é");
 * ```
 */
export function decodeHeaderText(value: string): string {
  // Most values are ASCII, which is the same in both.
  // deno-lint-ignore no-control-regex
  if (/^[\u0000-\u007f]*$/.test(value)) return value;
  try {
    return utf8.decode(Buffer.from(value, "latin1"));
  } catch {
    return value;
  }
}

/**
 * Encodes a text as a header value. A text with control characters, which no header can have brought, becomes an RFC
 * 2047 encoded word.
 *
 * @example Usage
 * ```ts
 * import { encodeHeaderText } from "./header_text.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(encodeHeaderText("é"), "\u00c3\u00a9");
 * strictEqual(encodeHeaderText("a\nb"), "=?UTF-8?B?YQpi?=");
 * ```
 */
export function encodeHeaderText(text: string): string {
  if (/^[ -~]*$/.test(text)) return text; // most texts are printable ASCII
  const bytes = Buffer.from(text, "utf8");
  // deno-lint-ignore no-control-regex
  return /[\u0000-\u001f\u007f]/.test(text)
    ? `=?UTF-8?B?${bytes.toString("base64")}?=`
    : bytes.toString("latin1");
}
