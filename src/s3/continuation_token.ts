/**
 * Continuation tokens: the positions at which listings resume. Clients treat them as opaque; the gateway checks them.
 * @module
 */

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { S3Error } from "./errors.ts";

const VERSION = 1;
/** Number of bytes before the text: the version and a CRC-32. */
const HEAD = 5;

/**
 * Formats a text as a token.
 *
 * @example Usage
 * ```ts
 * import { formatContinuationToken, parseContinuationToken } from "./continuation_token.ts";
 * import { strictEqual, throws } from "node:assert/strict";
 *
 * strictEqual(parseContinuationToken(formatContinuationToken("a/é")), "a/é");
 * throws(() => parseContinuationToken("a/é"), { code: "InvalidArgument" });
 * ```
 */
export function formatContinuationToken(after: string): string {
  const text = Buffer.from(after, "utf8");
  const bytes = Buffer.alloc(HEAD + text.length);
  bytes.writeUInt8(VERSION);
  bytes.writeUInt32BE(crc32(text), 1);
  text.copy(bytes, HEAD);
  return bytes.toString("base64url");
}

/**
 * Parses a token into its text.
 *
 * @throws S3Error `InvalidArgument` for a token that no gateway made
 */
export function parseContinuationToken(token: string): string {
  const text = Buffer.from(token, "base64url").subarray(HEAD).toString("utf8");
  if (formatContinuationToken(text) === token) return text;
  throw new S3Error("InvalidArgument", {
    ArgumentName: "continuation-token",
    ArgumentValue: token,
  }, { message: "The continuation token provided is incorrect" });
}
