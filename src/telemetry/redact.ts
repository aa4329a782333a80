/**
 * Removes signatures from texts of requests before they are shown.
 * @module
 */

/** The signature is part of the path if a client encodes the `?` of a presigned URL. */
const SIGNED = /((?:signature|security-token)(?:=|%(?:25)*3D)).*/is;

/**
 * Returns a path or a key without the signature of a request.
 *
 * @example Usage
 * ```ts
 * import { redact } from "./redact.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(redact("a.txt?X-Amz-Date=1&X-Amz-Signature=0123"), "a.txt?X-Amz-Date=1&X-Amz-Signature=REDACTED");
 * ```
 */
export function redact<T extends string | undefined>(text: T): T | string {
  return text === undefined ? text : text.replace(SIGNED, "$1REDACTED");
}
