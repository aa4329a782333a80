/**
 * The record of a noncurrent version, `S3.version.<base64url(key)>.<version id>`: JSON with the version's object info as
 * text, as it was, and the sequence of the message that it copies. What a version that was removed leaves is another form.
 *
 * While object info itself holds a version, the record of that version is an older copy, which nobody reads.
 * @module
 */

import { NULL_VERSION, ordinalOf, type VersionId } from "../../s3/version_id.ts";
import { decodeText, parseRecord } from "./json.ts";
import { parseTime } from "./times.ts";

/** The content of the record of a version. */
export type VersionRecord = {
  /** Stream sequence of the object info that this copies. */
  readonly from: number;
  /** When JetStream stored that object info. */
  readonly time: Date;
  readonly ordinal: number;
  /** The object info as it was. */
  readonly info: string;
};

/** The record of a version, read. */
export type ReadVersion =
  | { readonly kind: "version"; readonly record: VersionRecord }
  /** The version was removed. */
  | { readonly kind: "gone"; readonly ordinal: number }
  /** Not to be trusted: the version exists, and nobody can read or remove it. */
  | { readonly kind: "unreadable" };

/** Lifetime of the record of a version that was removed. */
export const GONE_TTL = "336h";

/** Returns the JSON of the record of a version. */
export function formatVersion({ from, time, ordinal, info }: VersionRecord): string {
  return JSON.stringify({ from, time: time.toISOString(), ordinal, info });
}

/** Returns the JSON of the record that a removed version leaves. */
export function formatGone(ordinal: number): string {
  return JSON.stringify({ gone: true, ordinal });
}

/**
 * Reads the record of a version.
 *
 * @param id As its subject names it.
 */
export function parseVersion(id: VersionId, text: string): ReadVersion {
  // The server may leave a marker without content in the place of an expired message.
  if (text === "") return { kind: "gone", ordinal: ordinalOf(id) ?? 0 };
  const json = parseRecord(text);
  if (json === undefined) return UNREADABLE;
  const ordinal = id === NULL_VERSION ? json["ordinal"] : ordinalOf(id);
  if (!isCount(ordinal)) return UNREADABLE;
  if (json["gone"] === true) return { kind: "gone", ordinal };
  const { from, info } = json;
  const time = parseTime(json["time"]);
  if (!isCount(from) || time === undefined || typeof info !== "string") return UNREADABLE;
  return { kind: "version", record: { from, time, ordinal, info } };
}

const NOTHING = new Uint8Array();
const encoder = new TextEncoder();

/**
 * Returns the object info in the record of a version, whatever its id, as far as it names a chunk group: nothing for a version
 * that was removed, and what looks like object info in a record that cannot be read.
 */
export function infoInRecord(payload: Uint8Array): Uint8Array {
  const text = decodeText(payload);
  const json = parseRecord(text);
  if (json?.["gone"] === true) return NOTHING;
  const info = json?.["info"];
  return encoder.encode(typeof info === "string" ? info : text.replaceAll('\\"', '"'));
}

const UNREADABLE = { kind: "unreadable" } as const;

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
