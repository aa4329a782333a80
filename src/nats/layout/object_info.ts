/**
 * Object info: the JSON of a metadata message, as ADR-20 has it, with S3's facts added.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-20.md
 *
 * S3's facts are in its `metadata` (`info_metadata.ts`). Object info is untrusted: a native client may write anything
 * there.
 * @module
 */

import { Buffer } from "node:buffer";
import type { Checksum } from "../../s3/checksum_algorithms.ts";
import type { ObjectProperties } from "../../s3/metadata.ts";
import type { ObjectKey } from "../../s3/names.ts";
import type { ListedObject } from "../../store/listings.ts";
import type { ObjectInfo } from "../../store/objects.ts";
import { type CheckedJson, checkJson, decodeJson, isRecord, nuidOfJson } from "./info_json.ts";
import {
  addProperties,
  digestETag,
  formatChecksum,
  formatDigest,
  lengthOf,
  parseChecksum,
  parseDigest,
  parseProperties,
  parseRetention,
  parseTime,
  STORAGE_CLASS,
} from "./info_metadata.ts";
import type { StoreName } from "./names.ts";
import type { Nuid } from "./nuid.ts";
import { formatRuns, parseRuns } from "./runs.ts";
import { keepUnknown, type RawInfo } from "./unknown_fields.ts";

/** The place of an object's chunks. */
export type ObjectBytes =
  /** One chunk group; `seek` lists the sequence of each chunk (see `runs.ts`). */
  | {
    readonly kind: "group";
    readonly nuid: Nuid;
    readonly chunks: number;
    readonly chunkSize: number | undefined;
    readonly seek: string | undefined;
    /** The seek table is too long for object info; `S3.layout.<nuid>` holds it. */
    readonly seekInLayout: boolean;
    /** SHA-256 of all bytes in lower-case hex; undefined if the digest is not one. */
    readonly sha256: string | undefined;
  }
  /** A group for each part; `S3.layout.<nuid>` names them. */
  | { readonly kind: "parts"; readonly nuid: Nuid };

/** An object as its metadata message describes it. */
export type StoredObject = {
  readonly info: ObjectInfo;
  readonly bytes: ObjectBytes;
};

/** A metadata message, read. */
export type ParsedInfo =
  | { readonly kind: "object"; readonly object: StoredObject }
  | Exclude<CheckedJson, { readonly kind: "object" }>;

/** Longest list of part sizes in object info, in characters; only the chunk map holds a longer one. */
export const MAX_PARTS_TEXT = 2048;
/** Longest seek table in object info, in characters. */
export const MAX_SEEK_TEXT = 4096;

/** Most characters of an object's properties; clients accept no longer headers. */
const MAX_PROPERTIES = 8192;

/** Lifetime of a message that marks a deleted object. */
export const TOMBSTONE_TTL = "336h";

/**
 * Reads a metadata message.
 *
 * @param time The time when JetStream stored it.
 */
export function parseInfo(key: ObjectKey, payload: Uint8Array, time: Date): ParsedInfo {
  return parseJson(key, decodeJson(payload), time);
}

/** Reads a metadata message: its JSON, its facts, and the nuid that it names, as {@linkcode nuidOfInfo} does. */
export function parseInfoAndNuid(
  key: ObjectKey,
  payload: Uint8Array,
  time: Date,
): {
  readonly parsed: ParsedInfo;
  readonly raw: RawInfo | undefined;
  readonly nuid: Nuid | undefined;
} {
  const json = decodeJson(payload);
  const raw = isRecord(json) ? json : undefined;
  return { parsed: parseJson(key, json, time), raw, nuid: nuidOfJson(json) };
}

function parseJson(key: ObjectKey, json: unknown, time: Date): ParsedInfo {
  const checked = checkJson(json);
  if (checked.kind !== "object") return checked;
  const { record, metadata, size, nuid, chunks, inParts } = checked;
  const properties = parseProperties(record["headers"], metadata);
  if (lengthOf(properties) > MAX_PROPERTIES) {
    return { kind: "unreadable", reason: "metadata is too large for headers" };
  }

  const sha256 = parseDigest(record["digest"]);
  const options = isRecord(record["options"]) ? record["options"] : {};
  const chunkSize = options["max_chunk_size"];
  return {
    kind: "object",
    object: {
      info: {
        key,
        size,
        etag: metadata["s3.etag"] ?? digestETag(sha256, nuid),
        modified: parseTime(metadata["s3.modified"]) ?? time,
        properties,
        checksum: parseChecksum(metadata["s3.checksum"]),
        owner: metadata["s3.owner"],
        partSizes: parseRuns(metadata["s3.parts"]),
        retention: parseRetention(metadata),
      },
      bytes: inParts ? { kind: "parts", nuid } : {
        kind: "group",
        nuid,
        chunks,
        chunkSize: typeof chunkSize === "number" && chunkSize > 0 ? chunkSize : undefined,
        seek: metadata["s3.seek"],
        seekInLayout: metadata["s3.layout"] === "seek",
        sha256,
      },
    },
  };
}

/** The facts of a metadata message that a listing shows, and the nuid that it names. */
export type ListedInfo = {
  /** Undefined if there is no such object. A listing shows an unreadable object, so that a client can delete it. */
  readonly listed: Omit<ListedObject, "key"> | undefined;
  readonly nuid: Nuid | undefined;
};

/**
 * Reads the facts of a metadata message that a listing shows: half of the work of {@linkcode parseInfo}.
 *
 * @param time The time when JetStream stored it.
 */
export function parseListed(payload: Uint8Array, time: Date): ListedInfo {
  const json = decodeJson(payload);
  const checked = checkJson(json);
  if (checked.kind === "absent") return { listed: undefined, nuid: undefined };
  if (checked.kind === "unreadable") {
    return { listed: { ...UNREADABLE, modified: time }, nuid: nuidOfJson(json) };
  }
  const { metadata, size, nuid, record } = checked;
  const listed = {
    size,
    etag: metadata["s3.etag"] ?? digestETag(parseDigest(record["digest"]), nuid),
    modified: parseTime(metadata["s3.modified"]) ?? time,
    owner: metadata["s3.owner"],
    checksum: parseChecksum(metadata["s3.checksum"]),
    storageClass: metadata[STORAGE_CLASS],
  };
  return { listed, nuid };
}

const UNREADABLE = {
  size: 0,
  etag: `${"0".repeat(32)}-0`,
  owner: undefined,
  checksum: undefined,
  storageClass: undefined,
} as const;

/** Returns whether a metadata message may describe an object in parts; {@linkcode parseInfo} knows. */
export function mayBeInParts(payload: Uint8Array): boolean {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length).includes(IN_PARTS);
}

const IN_PARTS = '"s3.layout":"parts"';

/** Returns the nuid that a metadata message names, even if nothing else in it can be trusted: the group that a new object replaces. */
export function nuidOfInfo(payload: Uint8Array): Nuid | undefined {
  return nuidOfJson(decodeJson(payload));
}

/** The facts that a new object's metadata message states. */
export type InfoInput = {
  readonly store: StoreName;
  readonly key: ObjectKey;
  readonly nuid: Nuid;
  readonly size: number;
  readonly chunks: number;
  readonly chunkSize: number;
  /** Lower-case hex; undefined for a multipart object, whose bytes the gateway never saw in one piece. */
  readonly sha256: string | undefined;
  readonly etag: string;
  readonly modified: Date;
  readonly properties: ObjectProperties;
  readonly checksum: Checksum | undefined;
  readonly owner: string;
  readonly seek: string | undefined;
  /** The facts that `S3.layout.<nuid>` holds; undefined if there is no such record. */
  readonly layout: "parts" | "seek" | undefined;
  readonly partSizes: readonly number[] | undefined;
};

/**
 * Returns the JSON of a metadata message, as native clients read it.
 *
 * @param raw The object info that is rewritten, whose unknown fields stay; undefined for a new object.
 */
export function formatInfo(input: InfoInput, raw?: RawInfo): string {
  const metadata: Record<string, string> = {
    "s3.etag": input.etag,
    "s3.modified": input.modified.toISOString(),
    "s3.owner": input.owner,
  };
  addProperties(metadata, input.properties);
  if (input.checksum !== undefined) metadata["s3.checksum"] = formatChecksum(input.checksum);
  if (input.seek !== undefined) metadata["s3.seek"] = input.seek;
  if (input.layout !== undefined) metadata["s3.layout"] = input.layout;
  const parts = input.partSizes === undefined ? undefined : formatRuns(input.partSizes);
  if (parts !== undefined && parts.length <= MAX_PARTS_TEXT) metadata["s3.parts"] = parts;

  const { contentType } = input.properties.system;
  const info = {
    name: input.key,
    ...(contentType !== undefined && { headers: { "Content-Type": [contentType] } }),
    metadata,
    options: { max_chunk_size: input.chunkSize },
    bucket: input.store,
    nuid: input.nuid,
    size: input.size,
    mtime: input.modified.toISOString(),
    chunks: input.chunks,
    digest: input.sha256 === undefined ? "" : formatDigest(input.sha256),
    // A native get would wait for the chunks of a multipart object, which are elsewhere.
    ...(input.layout === "parts" && { deleted: true }),
  };
  return JSON.stringify(raw === undefined ? info : keepUnknown(info, raw));
}

/** Returns the JSON of a delete marker of the object store, as native clients write it. */
export function formatTombstone(store: StoreName, key: ObjectKey, nuid: Nuid, now: Date): string {
  return JSON.stringify({
    name: key,
    bucket: store,
    nuid,
    size: 0,
    mtime: now.toISOString(),
    chunks: 0,
    digest: "",
    deleted: true,
  });
}
