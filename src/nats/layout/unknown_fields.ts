/**
 * Fields of object info that this gateway does not know: another program wrote them, or a newer gateway, so a rewrite of
 * the same object keeps them.
 * @module
 */

import { META_PREFIX, SYSTEM_KEYS, TAG_PREFIX } from "./info_metadata.ts";
import { isRecord } from "./json.ts";

/** The JSON of a metadata message. */
export type RawInfo = Readonly<Record<string, unknown>>;

/** Fields that object info says anew each time it is written; the rest is kept. */
const OWN_FIELDS = new Set([
  "name",
  "headers",
  "metadata",
  "options",
  "bucket",
  "nuid",
  "size",
  "mtime",
  "chunks",
  "digest",
  "deleted",
]);
const OWN_HEADERS = new Set(["Content-Type"]);
const OWN_OPTIONS = new Set(["max_chunk_size"]);
const OWN_METADATA = new Set([
  "s3.etag",
  "s3.modified",
  "s3.owner",
  "s3.checksum",
  "s3.seek",
  "s3.first",
  "s3.layout",
  "s3.parts",
  ...SYSTEM_KEYS.map(([, name]) => name),
]);
/** User metadata and tags, which are known as a whole. */
const OWN_PREFIXES = [META_PREFIX, TAG_PREFIX];

/**
 * Adds the unknown fields of the object info that is rewritten to the new one.
 *
 * @example Usage
 * ```ts
 * import { keepUnknown } from "./unknown_fields.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const old = { size: 1, description: "mine", metadata: { "s3.etag": "a", color: "red" } };
 * deepStrictEqual(keepUnknown({ size: 2, metadata: { "s3.etag": "b" } }, old), {
 *   size: 2,
 *   metadata: { "s3.etag": "b", color: "red" },
 *   description: "mine",
 * });
 * ```
 */
export function keepUnknown(info: RawInfo, old: RawInfo): RawInfo {
  const { metadata } = info;
  const isOwnMetadata = (name: string): boolean => {
    // A checksum of an algorithm that only a newer gateway knows still fits the bytes, which a rewrite does not change.
    if (name === "s3.checksum" && isRecord(metadata)) return name in metadata;
    return OWN_METADATA.has(name) || OWN_PREFIXES.some((prefix) => name.startsWith(prefix));
  };
  return {
    ...info,
    ...merged("headers", info, old, (name) => OWN_HEADERS.has(name)),
    ...merged("metadata", info, old, isOwnMetadata),
    ...merged("options", info, old, (name) => OWN_OPTIONS.has(name)),
    ...unknownOf(old, (name) => OWN_FIELDS.has(name)),
  };
}

/** Returns a nested record with the unknown entries of the old one, as the field `name`. */
function merged(
  name: string,
  info: RawInfo,
  old: RawInfo,
  isOwn: (name: string) => boolean,
): RawInfo {
  const unknown = unknownOf(old[name], isOwn);
  if (Object.keys(unknown).length === 0) return {};
  return { [name]: { ...(isRecord(info[name]) && info[name]), ...unknown } };
}

function unknownOf(value: unknown, isOwn: (name: string) => boolean): RawInfo {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([name]) => !isOwn(name)));
}
