/**
 * The texts by which versions are sorted: by key in the order of UTF-8 bytes, then the newest first.
 *
 * A text is the key, an end that sorts below every other continuation of it, the place where the version stands, and the
 * version id with its ordinal inverted. So the rows of a key are together, and a key's current version and its record of
 * the version `null`, whose ordinals their ids do not state, are found by what they begin with.
 * @module
 */

import { Buffer } from "node:buffer";
import { MAX_KEY_BYTES, type ObjectKey } from "../../s3/names.ts";
import { formatOrdinal, NULL_VERSION, readVersionId, type VersionId } from "../../s3/version_id.ts";
import type { VersionFacts } from "../layout/version_facts.ts";

/** Where a version stands: in the object info of its key, or in a record; there is one of the version `null` at most. */
export type VersionPlace = "current" | "null record" | "record";

/** A version and where it stands. */
export type VersionRow = VersionFacts & {
  readonly key: ObjectKey;
  readonly place: VersionPlace;
};

const PLACES = { "current": "0", "null record": "1", "record": "2" } as const;
/** What comes behind the places of a key, and before the next key. */
const BEHIND = "3";
/** A key's U+0000 is followed by U+0001, so that two of them end it. */
const END = "\0\0";
const ORDINAL_LENGTH = 10;
/** Largest size of a text: a key of nothing but U+0000, which are doubled, and what follows. */
export const MAX_ROW_BYTES: number = 2 * MAX_KEY_BYTES + 64;
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** The value of the digit that stands for each, and its character code, by the character code. */
const INVERTED_VALUES = Uint8Array.from({ length: 128 }, (_, code) => {
  return DIGITS.length - 1 - DIGITS.indexOf(String.fromCharCode(code));
});
const INVERTED = INVERTED_VALUES.map((value) => DIGITS.charCodeAt(value));

/**
 * Returns the text of a version.
 *
 * @example Usage
 * ```ts
 * import { formatRow, parseRow } from "./version_row.ts";
 * import type { ObjectKey } from "../../s3/names.ts";
 * import { newVersionId } from "../../s3/version_id.ts";
 * import { deepStrictEqual, ok } from "node:assert/strict";
 *
 * const rowOf = (ordinal: number) => ({
 *   key: "a\0b" as ObjectKey,
 *   place: "record" as const,
 *   id: newVersionId(ordinal, new Uint8Array(22)),
 *   ordinal,
 * });
 * ok(formatRow(rowOf(2)) < formatRow(rowOf(1)));
 * deepStrictEqual(parseRow(formatRow(rowOf(1))), rowOf(1));
 * ```
 */
export function formatRow({ key, place, id, ordinal }: VersionRow): string {
  const rest = id === NULL_VERSION ? NULL_VERSION : id.slice(ORDINAL_LENGTH);
  return placeOf(key, place) + invert(formatOrdinal(ordinal)) + rest;
}

/**
 * Parses what {@linkcode formatRow} returned.
 *
 * @param before The row before it: usually it is of the same key.
 */
export function parseRow(text: string, before?: VersionRow): VersionRow {
  const end = text.lastIndexOf(END);
  const start = end + END.length + 1;
  const mark = text[start - 1];
  const place = mark === PLACES.record
    ? "record"
    : mark === PLACES.current
    ? "current"
    : "null record";
  const isSame = before?.key.length === end && text.startsWith(before.key) &&
    !before.key.includes("\0");
  const isNull = text.length === start + ORDINAL_LENGTH + NULL_VERSION.length;
  return {
    key: isSame ? before.key : unescape(text.slice(0, end)) as ObjectKey,
    place,
    id: isNull ? NULL_VERSION : idIn(text, start) as VersionId,
    ordinal: ordinalIn(text, start),
  };
}

/** Tells whether a text that anybody may have written is one that {@linkcode formatRow} returns. */
export function isRow(text: string): boolean {
  const end = text.lastIndexOf(END);
  const place = text[end + END.length];
  if (end < 1 || place === undefined || !Object.values<string>(PLACES).includes(place)) {
    return false;
  }
  const row = parseRow(text);
  const isPlaced = row.place === "current" ||
    (row.id === NULL_VERSION) === (row.place === "null record");
  return isPlaced && Number.isSafeInteger(row.ordinal) && readVersionId(row.id) !== undefined &&
    Buffer.byteLength(row.key) <= MAX_KEY_BYTES && formatRow(row) === text;
}

/** Returns the beginning that the texts of a key's versions at a place have in common. */
export function placeOf(key: ObjectKey, place: VersionPlace): string {
  return escape(key) + END + PLACES[place];
}

/** Returns a text at or above which are the versions of all keys that are at or above a text. */
export function rowsFrom(text: string): string {
  return escape(text);
}

/**
 * Returns a text at or above which are a key's records with lower ordinals, except that of the version `null`, and all keys
 * behind it.
 */
export function recordsBelow(key: ObjectKey, ordinal: number): string {
  if (ordinal === Infinity) return placeOf(key, "record");
  if (ordinal <= 0) return escape(key) + END + BEHIND;
  return placeOf(key, "record") + invert(formatOrdinal(ordinal - 1));
}

function escape(text: string): string {
  return text.includes("\0") ? text.replaceAll("\0", "\0\u0001") : text;
}

function unescape(text: string): string {
  return text.includes("\0") ? text.replaceAll("\0\u0001", "\0") : text;
}

/** Replaces each digit of an ordinal, so that the order of texts is reversed. */
function invert(ordinal: string): string {
  return String.fromCharCode(...Array.from(ordinal, (digit) => INVERTED[digit.charCodeAt(0)] ?? 0));
}

/** Returns the version id at a position, where its ordinal is inverted. Listings call this a thousand times a page. */
function idIn(text: string, start: number): string {
  const at = (i: number): number => INVERTED[text.charCodeAt(start + i)] as number;
  const ordinal = String.fromCharCode(
    ...[at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8), at(9)],
  );
  return ordinal + text.slice(start + ORDINAL_LENGTH);
}

/** Returns the ordinal that is inverted at a position. */
function ordinalIn(text: string, start: number): number {
  let ordinal = 0;
  for (let i = start; i < start + ORDINAL_LENGTH; i++) {
    ordinal = ordinal * DIGITS.length + (INVERTED_VALUES[text.charCodeAt(i)] as number);
  }
  return ordinal;
}
