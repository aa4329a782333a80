/**
 * Query parameters that several operations share.
 * @module
 */

import { Buffer } from "node:buffer";
import { S3Error } from "./errors.ts";
import type { Query, Target } from "./request.ts";
import { parseVersionId, type VersionId } from "./version_id.ts";

/**
 * Parses an integer in the query. The minimum is 0 by default. As on AWS, a value above `max` counts as `max`, unless
 * `strict` is set.
 *
 * @throws S3Error `InvalidArgument`
 *
 * @example Usage
 * ```ts
 * import { integerParam } from "./params.ts";
 * import { strictEqual, throws } from "node:assert/strict";
 *
 * const query = new Map([["max-keys", "5000"], ["max-parts", "-1"]]);
 * strictEqual(integerParam(query, "max-keys", { max: 1000, default: 1000 }), 1000);
 * strictEqual(integerParam(query, "marker", { max: 1000, default: 7 }), 7);
 * throws(() => integerParam(query, "max-parts", { max: 1000, default: 1000 }), { code: "InvalidArgument" });
 * ```
 */
export function integerParam(
  query: Query,
  name: string,
  options: {
    readonly max: number;
    readonly default: number;
    readonly min?: number;
    readonly strict?: boolean;
  },
): number {
  const { max, min = 0, strict = false } = options;
  const text = query.get(name);
  if (text === undefined || text === "") return options.default;
  const value = /^-?\d{1,10}$/.test(text) ? Number(text) : NaN;
  const limit = strict ? max : MAX_INT;
  if (value >= min && value <= limit) return Math.min(value, max);
  throw new S3Error("InvalidArgument", { ArgumentName: name, ArgumentValue: text }, {
    message: Math.abs(value) <= MAX_INT
      ? `Argument ${name} must be an integer between ${min} and ${limit}`
      : `Provided ${name} not an integer or within integer range`,
  });
}

/** AWS parses the value as a Java int. */
const MAX_INT = 2_147_483_647;

/** Maximum length of a key, and so of a prefix, in bytes. */
const MAX_PREFIX = 1024;

/**
 * Parses the prefix of a listing; "" for none.
 *
 * @throws S3Error `InvalidArgument`
 */
export function prefixParam(query: Query): string {
  const prefix = query.get("prefix") ?? "";
  if (Buffer.byteLength(prefix) <= MAX_PREFIX) return prefix;
  throw new S3Error("InvalidArgument", { ArgumentName: "prefix", ArgumentValue: prefix }, {
    message: `Provided prefix is longer than ${MAX_PREFIX} bytes`,
  });
}

/** The encoding of keys in a listing. */
export type KeyEncoding = {
  /** The value of `<EncodingType>`; undefined for plain text. */
  readonly type: "url" | undefined;
  readonly encode: (text: string) => string;
};

/**
 * Parses `encoding-type`: the encoding of keys in a listing.
 *
 * @throws S3Error `InvalidArgument`
 */
export function encodingParam(query: Query): KeyEncoding {
  const type = query.get("encoding-type");
  if (type === undefined || type === "") return { type: undefined, encode: (text) => text };
  if (type === "url") return { type, encode: percentEncodeKey };
  throw new S3Error("InvalidArgument", { ArgumentName: "encoding-type", ArgumentValue: type }, {
    message: "Invalid Encoding Method specified in Request",
  });
}

/**
 * Percent-encodes a key except its slashes. A space becomes `%20`, which every decoder understands; AWS writes `+`.
 *
 * @example Usage
 * ```ts
 * import { percentEncodeKey } from "./params.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(percentEncodeKey("a b/(é)+"), "a%20b/%28%C3%A9%29%2B");
 * ```
 */
export function percentEncodeKey(key: string): string {
  return encodeURIComponent(key.toWellFormed()).replaceAll("%2F", "/")
    .replace(/[!'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * Parses the version of an object that a request names; undefined for the current one.
 *
 * @throws S3Error `NoSuchVersion`; `InvalidArgument` for a text that cannot be a version id
 */
export function versionIdParam(
  { query, target }: { readonly query: Query; readonly target?: Target },
): VersionId | undefined {
  return parseVersionId(query.get("versionId"), target?.on === "object" ? target.key : undefined);
}
