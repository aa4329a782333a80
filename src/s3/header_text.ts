/**
 * Text in headers. The runtime gives header values as latin1, one character a byte; clients mean UTF-8.
 *
 * AWS returns text beyond US-ASCII as RFC 2047 encoded words; here it comes back as the bytes that were sent.
 * @module
 */

import { Buffer } from "node:buffer";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The text of a header. What is not UTF-8 stays latin1.
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
  // Most are ASCII, the same in both.
  // deno-lint-ignore no-control-regex
  if (/^[\u0000-\u007f]*$/.test(value)) return value;
  try {
    return utf8.decode(Buffer.from(value, "latin1"));
  } catch {
    return value;
  }
}

/**
 * A header value for a text; text with control characters, which native clients can store, becomes an RFC 2047
 * encoded word.
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
  if (/^[ -~]*$/.test(text)) return text; // most are printable ASCII
  const bytes = Buffer.from(text, "utf8");
  // deno-lint-ignore no-control-regex
  return /[\u0000-\u001f\u007f]/.test(text)
    ? `=?UTF-8?B?${bytes.toString("base64")}?=`
    : bytes.toString("latin1");
}
