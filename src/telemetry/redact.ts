/**
 * Texts of requests as they may be shown.
 * @module
 */

/** A client that encodes the `?` of a presigned URL has its query in the path. */
const SIGNED = /((?:signature|security-token)(?:=|%(?:25)*3D)).*/is;

/**
 * A path or a key without what signs a request.
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
