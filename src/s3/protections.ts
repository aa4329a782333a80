/**
 * Conditions of deletions that AWS documents for directory buckets only: size and time. They can only protect an object
 * or an upload, so every bucket has them.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 * @module
 */

import { parseDate, type WritePrecondition } from "./conditions.ts";
import { S3Error } from "./errors.ts";

/** Header of {@linkcode parseProtection}: a size in bytes. */
export const IF_MATCH_SIZE = "x-amz-if-match-size";
/** Header of {@linkcode parseProtection}: a time of modification. */
export const IF_MATCH_MODIFIED = "x-amz-if-match-last-modified-time";

/**
 * Parses the conditions of a deletion: its headers, or the elements of DeleteObjects.
 *
 * @throws S3Error `InvalidArgument`
 *
 * @example Usage
 * ```ts
 * import { parseProtection } from "./protections.ts";
 * import { deepStrictEqual, throws } from "node:assert/strict";
 *
 * deepStrictEqual(parseProtection("5", undefined), { ifMatchSize: 5 });
 * throws(() => parseProtection("five", undefined), { code: "InvalidArgument" });
 * ```
 */
export function parseProtection(
  size: string | undefined,
  modified: string | undefined,
): WritePrecondition {
  if (size !== undefined && !/^\d{1,19}$/.test(size)) throw malformed(IF_MATCH_SIZE, size);
  return {
    ...(size !== undefined && { ifMatchSize: Number(size) }),
    ...(modified !== undefined && { ifMatchModified: parseTime(IF_MATCH_MODIFIED, modified) }),
  };
}

/**
 * Parses a time to which another one must be equal.
 *
 * @throws S3Error `InvalidArgument`
 */
export function parseTime(name: string, text: string): Date {
  const date = parseDate(text);
  if (date === undefined) throw malformed(name, text);
  return date;
}

function malformed(name: string, text: string): S3Error {
  return new S3Error("InvalidArgument", { ArgumentName: name, ArgumentValue: text });
}
