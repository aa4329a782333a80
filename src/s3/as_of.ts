/**
 * Which version of a key was current at a time, as far as the versions that are left can tell.
 *
 * Along the versions of a key times never run backwards, so it is the latest one that is not younger than the time. Two things
 * hide what was there: a version `null` that is younger has taken the place of the one before it, which nothing kept, and a
 * version that was removed since leaves a gap between the ordinals in the ids of its neighbours.
 * @module
 */

import { S3Error } from "./errors.ts";
import { NULL_VERSION, ordinalOf, type VersionId } from "./version_id.ts";

/** What a key was at a time. */
export type AsOf =
  | { readonly kind: "version" | "marker"; readonly versionId: VersionId; readonly modified: Date }
  /** The key did not exist. */
  | { readonly kind: "absent" }
  /** The versions that are left do not tell. */
  | { readonly kind: "unknown"; readonly reason: string };

/** A version as far as its place in time is concerned. */
export type TimedVersion = {
  readonly versionId: VersionId;
  readonly modified: Date;
  readonly isMarker: boolean;
};

/** The first version of a key has this ordinal at most; the one before it is that of an object from before versioning. */
const MAX_FIRST_ORDINAL = 2;

const OVERWRITTEN =
  "a version null that is younger took the place of what was there, which is not kept";
const REMOVED = "a version from around that time was removed or cannot be read";

/** The answer if a version that may have been the one cannot be read. */
export const UNKNOWN_AS_OF: AsOf = { kind: "unknown", reason: REMOVED };

/**
 * The search for the version that was current at a time. It is shown the versions of one key, the latest first.
 *
 * @example Usage
 * ```ts
 * import { AsOfSearch } from "./as_of.ts";
 * import { newVersionId } from "./version_id.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const search = new AsOfSearch(new Date(15));
 * for (const ordinal of [3, 2]) {
 *   const versionId = newVersionId(ordinal, new Uint8Array(22));
 *   search.add({ versionId, modified: new Date(ordinal * 7), isMarker: false });
 * }
 * strictEqual(search.result.kind, "version"); // the one of 14, because the other one is of 21
 * ```
 */
export class AsOfSearch {
  readonly #time: Date;
  /** The oldest version that is younger than the time. */
  #younger: VersionId | undefined;
  #isOverwritten = false;
  #found: AsOf | undefined;

  constructor(time: Date) {
    this.#time = time;
  }

  /** Tells whether older versions make no difference any more. */
  get isFound(): boolean {
    return this.#found !== undefined;
  }

  /** Looks at the next version. Versions between two that are younger than the time may be left out. */
  add(version: TimedVersion): void {
    if (this.#found !== undefined) return;
    const { versionId, modified, isMarker } = version;
    if (modified > this.#time) {
      if (versionId === NULL_VERSION) this.#isOverwritten = true;
      else this.#younger = versionId;
      return;
    }
    const kind = isMarker ? "marker" : "version";
    const younger = this.#younger && ordinalOf(this.#younger);
    const own = ordinalOf(versionId);
    this.#found = this.#isOverwritten
      ? { kind: "unknown", reason: OVERWRITTEN }
      : younger !== undefined && own !== undefined && younger !== own + 1
      ? UNKNOWN_AS_OF
      : { kind, versionId, modified };
  }

  /** What the key was, if no other version follows. */
  get result(): AsOf {
    if (this.#found !== undefined) return this.#found;
    if (this.#isOverwritten) return { kind: "unknown", reason: OVERWRITTEN };
    const first = this.#younger && ordinalOf(this.#younger);
    return first !== undefined && first > MAX_FIRST_ORDINAL ? UNKNOWN_AS_OF : { kind: "absent" };
  }
}

/** Date and time with their zone. */
const TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

/**
 * Reads a time in the form of RFC 3339; undefined if it is none. Digits behind milliseconds do not count.
 * See https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 *
 * @example Usage
 * ```ts
 * import { readTime } from "./as_of.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(readTime("1970-01-01T01:00:00.5+01:00")?.getTime(), 500);
 * strictEqual(readTime("1970-01-01"), undefined);
 * strictEqual(readTime("2023-02-29T00:00:00Z"), undefined);
 * ```
 */
export function readTime(text: string): Date | undefined {
  const [, year, month, day] = TIME.exec(text) ?? [];
  if (year === undefined) return undefined;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  const time = Date.parse(text.toUpperCase());
  return Number.isNaN(time) || date.getUTCDate() !== Number(day) ? undefined : new Date(time);
}

/**
 * Parses the header {@linkcode AS_OF}; undefined without it.
 *
 * @throws S3Error `InvalidArgument` for a malformed time, and for a request that names a version as well
 */
export function parseAsOf(text: string | null, versionId: VersionId | undefined): Date | undefined {
  if (text === null) return undefined;
  const time = readTime(text.trim());
  if (time !== undefined && versionId === undefined) return time;
  throw new S3Error("InvalidArgument", { ArgumentName: AS_OF, ArgumentValue: text }, {
    message: time === undefined
      ? "The time to look back to must be in the form of RFC 3339, such as 2026-01-31T09:30:00Z"
      : "A request may name a version or a time to look back to, not both",
  });
}

/**
 * Checks that a time is not in the future.
 *
 * @throws S3Error `InvalidArgument`
 */
export function checkPast(time: Date, now: Date): void {
  if (time <= now) return;
  throw new S3Error("InvalidArgument", {
    ArgumentName: AS_OF,
    ArgumentValue: time.toISOString(),
  }, { message: "The time to look back to is in the future" });
}

/** Returns the error of a look back in a bucket that never had versioning. */
export function keepsNoVersions(bucket: string): S3Error {
  return new S3Error("InvalidBucketState", { BucketName: bucket }, {
    message: "The bucket never had versioning, so it keeps nothing of how its objects were",
  });
}

/** The header that asks for an object as it was at a time. */
export const AS_OF = "x-nats-s3-as-of";
