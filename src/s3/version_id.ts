/**
 * Version ids: `null`, or 32 letters and digits, of which the first ten are the version's ordinal among the versions of its
 * key. So ids of one key sort as text in the order in which their versions were made, whatever clocks say.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
 * @module
 */

import { S3Error } from "./errors.ts";
import type { ObjectKey } from "./names.ts";

/** The id of a version, in the form that {@linkcode newVersionId} gives it, or {@linkcode NULL_VERSION}. */
export type VersionId = string & { readonly [brand]: "VersionId" };
declare const brand: unique symbol;

/** The id of what was written without versioning, or while it was suspended. A key has one such version at most. */
export const NULL_VERSION = "null" as VersionId;

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ORDINAL_LENGTH = 10;
const RANDOM_LENGTH = 22;
const ID = /^[A-Za-z0-9]{32}$/;

/**
 * Returns a version id.
 *
 * @param ordinal 1 for the first version of a key, at most 2^53 - 1.
 * @param random At least 22 random bytes.
 *
 * @example Usage
 * ```ts
 * import { newVersionId, ordinalOf } from "./version_id.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const id = newVersionId(63, new Uint8Array(22));
 * strictEqual(id, "00000000110000000000000000000000");
 * strictEqual(ordinalOf(id), 63);
 * ```
 */
export function newVersionId(ordinal: number, random: Uint8Array): VersionId {
  let text = formatOrdinal(ordinal);
  for (let i = 0; i < RANDOM_LENGTH; i++) text += DIGITS[(random[i] as number) % DIGITS.length];
  return text as VersionId;
}

/** Returns an ordinal as ten characters that sort as the ordinals do. */
export function formatOrdinal(ordinal: number): string {
  let text = "";
  for (let rest = ordinal; text.length < ORDINAL_LENGTH; rest = Math.floor(rest / DIGITS.length)) {
    text = (DIGITS[rest % DIGITS.length] as string) + text;
  }
  return text;
}

/** Returns the ordinal at the beginning of a text; undefined if there is none that a number can hold. */
export function parseOrdinal(text: string): number | undefined {
  let ordinal = 0;
  for (let i = 0; i < ORDINAL_LENGTH; i++) {
    const digit = i < text.length ? DIGITS.indexOf(text[i] as string) : -1;
    if (digit < 0) return undefined;
    ordinal = ordinal * DIGITS.length + digit;
  }
  return Number.isSafeInteger(ordinal) ? ordinal : undefined;
}

/** Returns the ordinal of a version; undefined for {@linkcode NULL_VERSION}, whose object info states it. */
export function ordinalOf(id: VersionId): number | undefined {
  return id === NULL_VERSION ? undefined : parseOrdinal(id);
}

/** Returns the version id in a text that anybody may have written; undefined if it is none. */
export function readVersionId(text: unknown): VersionId | undefined {
  if (typeof text !== "string") return undefined;
  if (text === NULL_VERSION) return NULL_VERSION;
  return ID.test(text) && parseOrdinal(text) !== undefined ? text as VersionId : undefined;
}

/**
 * Parses the version id of a request; returns undefined if there is none. A text of letters, digits and a few other
 * characters may be the id of a version elsewhere, so here no version has it.
 *
 * @param key The key of the version, for the error.
 * @throws S3Error `NoSuchVersion`; `InvalidArgument` for a text that cannot be a version id
 */
export function parseVersionId(text: string | undefined, key?: ObjectKey): VersionId | undefined {
  if (text === undefined) return undefined;
  const id = readVersionId(text);
  if (id !== undefined) return id;
  if (/^[A-Za-z0-9._-]{16,64}$/.test(text)) throw noSuchVersion(key, text);
  const message = text === ""
    ? "Version id cannot be the empty string"
    : "Invalid version id specified";
  throw new S3Error("InvalidArgument", { ArgumentName: "versionId", ArgumentValue: text }, {
    message,
  });
}

/** Returns the error of a version that does not exist. */
export function noSuchVersion(key: ObjectKey | undefined, id: string): S3Error {
  return new S3Error("NoSuchVersion", { ...(key !== undefined && { Key: key }), VersionId: id });
}

/**
 * Returns the error of a read that meets a delete marker: 404 if it is the current version, 405 if the request names it.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
 */
export function deleteMarkerError(
  key: ObjectKey,
  marker: { readonly id: VersionId; readonly modified: Date },
  isNamed: boolean,
): S3Error {
  const headers = { "x-amz-delete-marker": "true", "x-amz-version-id": marker.id };
  if (!isNamed) return new S3Error("NoSuchKey", { Key: key }, { headers });
  return new S3Error("MethodNotAllowed", { Method: "GET", ResourceType: "DeleteMarker" }, {
    headers: { ...headers, "last-modified": marker.modified.toUTCString(), allow: "DELETE" },
  });
}
