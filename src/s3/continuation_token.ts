/**
 * Continuation tokens: where a listing resumes, opaque to clients and checked when it comes back.
 * @module
 */

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { S3Error } from "./errors.ts";

const VERSION = 1;
/** Bytes before the text: the version and a CRC-32. */
const HEAD = 5;

/**
 * The token for a text.
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
 * The text of a token.
 *
 * @throws S3Error `InvalidArgument` for what no gateway made
 */
export function parseContinuationToken(token: string): string {
  const bytes = Buffer.from(token, "base64url");
  const text = bytes.subarray(HEAD);
  if (
    bytes.length >= HEAD && bytes.toString("base64url") === token &&
    bytes.readUInt8() === VERSION && bytes.readUInt32BE(1) === crc32(text)
  ) return text.toString("utf8");
  throw new S3Error("InvalidArgument", {
    ArgumentName: "continuation-token",
    ArgumentValue: token,
  }, { message: "The continuation token provided is incorrect" });
}
