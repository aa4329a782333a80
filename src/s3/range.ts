/**
 * Byte ranges.
 * See https://www.rfc-editor.org/rfc/rfc9110#section-14
 * and https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 *
 * As AWS does, a header that is no byte range, or names several, is ignored: the answer is the whole object.
 * @module
 */

import { S3Error } from "./errors.ts";

/** A range within an object: both ends inclusive, in bytes, `0 <= start <= end < size`. */
export type ByteRange = { readonly start: number; readonly end: number };

/**
 * The range that a `Range` header asks for, or undefined for the whole object.
 *
 * @param size Of the object, in bytes.
 * @throws S3Error `InvalidRange` when no byte of the object is in it
 *
 * @example Usage
 * ```ts
 * import { parseRange } from "./range.ts";
 * import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
 *
 * deepStrictEqual(parseRange("bytes=0-4", 10), { start: 0, end: 4 });
 * deepStrictEqual(parseRange("bytes=5-", 10), { start: 5, end: 9 });
 * deepStrictEqual(parseRange("bytes=-3", 10), { start: 7, end: 9 });
 * strictEqual(parseRange("bytes=0-1,3-4", 10), undefined);
 * throws(() => parseRange("bytes=10-", 10), { code: "InvalidRange" });
 * ```
 */
export function parseRange(header: string | null, size: number): ByteRange | undefined {
  const ends = splitRange(header ?? "");
  if (ends === undefined) return undefined;
  const [from, to] = ends;
  if (from === "") {
    const length = Math.min(Number(to), size);
    if (length === 0) throw unsatisfiable(header, size);
    return { start: size - length, end: size - 1 };
  }
  const start = Number(from);
  const end = to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== "" && Number(to) < start) return undefined;
  if (start >= size) throw unsatisfiable(header, size);
  return { start, end };
}

/**
 * Splits `bytes = 1 - 2`; undefined unless it has one or two numbers.
 *
 * It cuts by hand because an expression that allows blanks in all these places backtracks over them: 60,000 blanks took
 * eight seconds.
 */
function splitRange(header: string): readonly [from: string, to: string] | undefined {
  const equals = header.indexOf("=");
  const dash = header.indexOf("-", equals + 1);
  if (equals < 0 || dash < 0) return undefined;
  if (header.slice(0, equals).trim().toLowerCase() !== "bytes") return undefined;
  const from = header.slice(equals + 1, dash).trim();
  const to = header.slice(dash + 1).trim();
  return /^\d+$/.test(from + to) ? [from, to] : undefined;
}

/**
 * The range that `x-amz-copy-source-range` asks for: only `bytes=first-last`, within the source.
 *
 * @param size Of the source, in bytes.
 * @throws S3Error `InvalidArgument`, `InvalidRange`
 */
export function parseCopyRange(header: string, size: number): ByteRange {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(header.trim()) ?? [];
  const start = Number(from ?? NaN);
  const end = Number(to ?? NaN);
  const named = { ArgumentName: "x-amz-copy-source-range", ArgumentValue: header };
  if (!(start <= end)) {
    throw new S3Error("InvalidArgument", named, {
      message:
        "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
    });
  }
  if (end >= size) {
    throw new S3Error("InvalidArgument", named, {
      message: `Range specified is not valid for source object of size: ${size}`,
    });
  }
  return { start, end };
}

/** The value of `Content-Range`. */
export function formatContentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end}/${size}`;
}

function unsatisfiable(header: string | null, size: number): S3Error {
  return new S3Error("InvalidRange", { ActualObjectSize: size, RangeRequested: header ?? "" }, {
    headers: { "content-range": `bytes */${size}` },
  });
}
