/**
 * The conditions of requests.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
 * and https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html for the order of precedence
 *
 * As RFC 9110 requires, a malformed date is ignored.
 * @module
 */

import { S3Error } from "./errors.ts";
import { parseETag, parseETagList, quoteETag } from "./etag.ts";
import type { RequestHeaders } from "./request_headers.ts";
import type { VersionId } from "./version_id.ts";

/** The conditions of a read. ETags are bare; `"*"` matches any object. */
export type ReadPrecondition = {
  readonly ifMatch?: "*" | readonly string[];
  readonly ifNoneMatch?: "*" | readonly string[];
  readonly ifModifiedSince?: Date;
  readonly ifUnmodifiedSince?: Date;
};

/** The conditions of a write on the current object. ETags are bare; `"*"` matches any object. */
export type WritePrecondition = {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: "*";
  /** Of a deletion: the size in bytes and the time of modification, in whole seconds. A missing object has both. */
  readonly ifMatchSize?: number;
  readonly ifMatchModified?: Date;
  /** The current version has this id, be it an object or a delete marker. No header states it. */
  readonly ifVersion?: VersionId;
};

/** The properties of an object that conditions compare. */
type Validators = { readonly etag: string; readonly modified: Date };

/**
 * Parses the conditions of a read, or of the source of a copy.
 *
 * @param prefix The prefix of the headers' names, for the source of a copy or of a rename.
 */
export function parseReadPrecondition(
  headers: RequestHeaders,
  prefix: "" | "x-amz-copy-source-" | "x-amz-rename-source-" = "",
): ReadPrecondition {
  const match = headers.get(`${prefix}if-match`);
  const noneMatch = headers.get(`${prefix}if-none-match`);
  const modified = parseDate(headers.get(`${prefix}if-modified-since`));
  const unmodified = parseDate(headers.get(`${prefix}if-unmodified-since`));
  return {
    ...(match !== null && { ifMatch: parseETagList(match) }),
    ...(noneMatch !== null && { ifNoneMatch: parseETagList(noneMatch) }),
    ...(modified !== undefined && { ifModifiedSince: modified }),
    ...(unmodified !== undefined && { ifUnmodifiedSince: unmodified }),
  };
}

/** Parses a date; undefined for none and for a malformed one. */
export function parseDate(text: string | null): Date | undefined {
  const time = text === null ? NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : new Date(time);
}

/**
 * Checks the conditions of a read in AWS's order: If-Match before If-Unmodified-Since, If-None-Match before
 * If-Modified-Since. If both conditions of a pair are present, only the ETag counts.
 *
 * @throws S3Error `PreconditionFailed`, `NotModified`
 *
 * @example Usage
 * ```ts
 * import { checkRead } from "./conditions.ts";
 * import { throws } from "node:assert/strict";
 *
 * const object = { etag: "a", modified: new Date(0) };
 * checkRead({ ifMatch: ["a"], ifUnmodifiedSince: new Date(-1000) }, object);
 * throws(() => checkRead({ ifNoneMatch: ["a"] }, object), { code: "NotModified" });
 * ```
 */
export function checkRead(precondition: ReadPrecondition, object: Validators): void {
  const failed = failedRead(precondition, object);
  if (failed === undefined) return;
  if (failed === "If-Match" || failed === "If-Unmodified-Since") {
    throw new S3Error("PreconditionFailed", { Condition: failed });
  }
  // A cache needs these headers to keep its copy.
  const headers = {
    "etag": quoteETag(object.etag),
    "last-modified": object.modified.toUTCString(),
  };
  throw new S3Error("NotModified", {}, { headers });
}

/**
 * Checks the conditions on the source of a copy. It differs from {@linkcode checkRead} in one way: 412 replaces 304.
 *
 * @throws S3Error `PreconditionFailed`
 */
export function checkCopySource(precondition: ReadPrecondition, object: Validators): void {
  const failed = failedRead(precondition, object);
  if (failed === undefined) return;
  throw new S3Error("PreconditionFailed", { Condition: `x-amz-copy-source-${failed}` });
}

/**
 * Returns whether `If-Range` lets a range be read: whether it names the object exactly as it is now. Otherwise the
 * client's bytes are of another object, and the response is the whole one.
 * See https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5
 *
 * A weak ETag never names an object exactly.
 *
 * @example Usage
 * ```ts
 * import { isSameForRange } from "./conditions.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const object = { etag: "a", modified: new Date(0) };
 * strictEqual(isSameForRange('"a"', object), true);
 * strictEqual(isSameForRange('W/"a"', object), false);
 * strictEqual(isSameForRange("Thu, 01 Jan 1970 00:00:01 GMT", object), false);
 * ```
 */
export function isSameForRange(ifRange: string | null, { etag, modified }: Validators): boolean {
  if (ifRange === null) return true;
  const text = ifRange.trim();
  return text === quoteETag(etag) || text === etag || text === modified.toUTCString();
}

/** Returns the first condition of a read that does not hold; undefined if all hold. */
export function failedRead(
  { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince }: ReadPrecondition,
  { etag, modified }: Validators,
): "If-Match" | "If-Unmodified-Since" | "If-None-Match" | "If-Modified-Since" | undefined {
  // Clients see the time of modification in whole seconds.
  const time = Math.floor(modified.getTime() / 1000) * 1000;

  if (ifMatch !== undefined) {
    if (!matches(ifMatch, etag)) return "If-Match";
  } else if (ifUnmodifiedSince !== undefined && time > ifUnmodifiedSince.getTime()) {
    return "If-Unmodified-Since";
  }
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, etag)) return "If-None-Match";
  } else if (ifModifiedSince !== undefined && time <= ifModifiedSince.getTime()) {
    return "If-Modified-Since";
  }
  return undefined;
}

function matches(list: "*" | readonly string[], etag: string): boolean {
  return list === "*" || list.includes(etag);
}

/**
 * Parses the conditions of a write.
 *
 * @throws S3Error `NotImplemented` for an If-None-Match other than `*` and for both headers together, as on AWS
 */
export function parseWritePrecondition(headers: RequestHeaders): WritePrecondition {
  const match = headers.get("if-match");
  const noneMatch = headers.get("if-none-match");
  if (noneMatch !== null) {
    if (parseETag(noneMatch) !== "*" || match !== null) {
      throw new S3Error("NotImplemented", { Header: "If-None-Match" }, {
        message: "A header you provided implies functionality that is not implemented",
      });
    }
    return { ifNoneMatch: "*" };
  }
  return match === null ? {} : { ifMatch: parseETag(match) };
}

/** Returns whether two times are in the same second, which is all that clients see of a time. */
export function isSameSecond(a: Date, b: Date): boolean {
  return Math.floor(a.getTime() / 1000) === Math.floor(b.getTime() / 1000);
}

/** Facts of an object that conditions compare; undefined if the object cannot be read, which no condition but `*` matches. */
export type WriteValidators = {
  readonly etag: string | undefined;
  readonly size: number | undefined;
  readonly modified: Date | undefined;
};

/**
 * Checks the conditions of a write against the current object. Stores call it within their compare-and-set.
 *
 * @param current The object. One without a known ETag exists, and only `*` matches it.
 * @param version The id of the current version, a delete marker's too; undefined if there is none.
 * @throws S3Error `PreconditionFailed`; `NoSuchKey` for If-Match without an object
 *
 * @example Usage
 * ```ts
 * import { checkWrite } from "./conditions.ts";
 * import { throws } from "node:assert/strict";
 *
 * const object = { etag: "a", size: 1, modified: new Date(0) };
 * checkWrite({ ifNoneMatch: "*" }, undefined, "a.txt");
 * throws(() => checkWrite({ ifNoneMatch: "*" }, object, "a.txt"), { code: "PreconditionFailed" });
 * throws(() => checkWrite({ ifMatch: "a" }, undefined, "a.txt"), { code: "NoSuchKey" });
 * ```
 */
export function checkWrite(
  { ifMatch, ifNoneMatch, ifMatchSize, ifMatchModified, ifVersion }: WritePrecondition,
  current: WriteValidators | undefined,
  key: string,
  version?: VersionId,
): void {
  if (ifVersion !== undefined && ifVersion !== version) {
    throw new S3Error("PreconditionFailed", { Condition: "version" });
  }
  if (ifNoneMatch !== undefined && current !== undefined) {
    throw new S3Error("PreconditionFailed", { Condition: "If-None-Match" });
  }
  if (current === undefined) {
    if (ifMatch !== undefined) throw new S3Error("NoSuchKey", { Key: key });
    return;
  }
  if (ifMatch !== undefined && ifMatch !== "*" && ifMatch !== current.etag) {
    throw new S3Error("PreconditionFailed", { Condition: "If-Match" });
  }
  if (ifMatchSize !== undefined && ifMatchSize !== current.size) {
    throw new S3Error("PreconditionFailed", { Condition: "x-amz-if-match-size" });
  }
  const { modified } = current;
  const isOther = modified === undefined ||
    ifMatchModified !== undefined && !isSameSecond(ifMatchModified, modified);
  if (ifMatchModified !== undefined && isOther) {
    throw new S3Error("PreconditionFailed", { Condition: "x-amz-if-match-last-modified-time" });
  }
}

/** Returns whether `If-Match` compares an ETag, which tells whether an object has it; `*` does not. */
export function namesETag(ifMatch: string | null | undefined): boolean {
  return ifMatch !== null && ifMatch !== undefined && ifMatch.trim() !== "*";
}
