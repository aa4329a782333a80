/**
 * Object info: the JSON of a metadata message, as ADR-20 has it, with S3's facts added.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-20.md
 *
 * S3's facts are in its `metadata` (`info_metadata.ts`). Object info is untrusted: a native client may write anything
 * there.
 * @module
 */

import type { Checksum } from "../../s3/checksum_algorithms.ts";
import type { ObjectProperties } from "../../s3/metadata.ts";
import type { ObjectKey } from "../../s3/names.ts";
import type { ObjectInfo } from "../../store/objects.ts";
import { isChunkSize } from "./chunk_size.ts";
import {
  type CheckedJson,
  checkJson,
  decodeJson,
  groupNamedBy,
  groupNamedByJson,
  unreadable,
} from "./info_json.ts";
import {
  addProperties,
  firstChunkOf,
  formatChecksum,
  formatDigest,
  lengthOf,
  MAX_PARTS_TEXT,
  MAX_PROPERTIES,
  MAX_SEEK_TEXT,
  parseDigest,
  parseFacts,
  parsePartSizes,
  parseProperties,
} from "./info_metadata.ts";
import { decodeText, isRecord } from "./json.ts";
import type { StoreName } from "./names.ts";
import { type Nuid, parseNuid } from "./nuid.ts";
import { hasLegalHold, lockedUntil, lockedUntilInText, parseRetention } from "./object_lock.ts";
import { formatRuns } from "./runs.ts";
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
    /** Sequence of the first chunk; undefined if it is not stated. */
    readonly firstChunk: number | undefined;
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

/** Everything that a write must know of the metadata message that it replaces. */
export type ReadInfo = {
  readonly parsed: ParsedInfo;
  /** The JSON; undefined if the message is not a record. */
  readonly raw: RawInfo | undefined;
  /** The group that the message names, even if the rest of it is unreadable. */
  readonly nuid: Nuid | undefined;
  /** Until when object lock protects the object, even if the rest is unreadable; undefined without a lock. */
  readonly lockedUntil: Date | undefined;
};

/** Reads a metadata message, and by themselves the facts that hold even if it is unreadable. */
export function readInfo(key: ObjectKey, payload: Uint8Array, time: Date): ReadInfo {
  const json = decodeJson(payload);
  const raw = isRecord(json) ? json : undefined;
  const isDamaged = json === undefined;
  return {
    parsed: parseJson(key, json, time),
    raw,
    nuid: parseNuid(isDamaged ? groupNamedBy(payload) : groupNamedByJson(json)),
    lockedUntil: isDamaged ? lockedUntilInText(decodeText(payload)) : lockedUntil(json),
  };
}

const HELD = { legalHold: true } as const;

function parseJson(key: ObjectKey, json: unknown, time: Date): ParsedInfo {
  const checked = checkJson(json);
  if (checked.kind !== "object") return checked;
  const { record, metadata, size, nuid, chunks, inParts } = checked;
  const properties = parseProperties(record["headers"], metadata);
  if (lengthOf(properties) > MAX_PROPERTIES) return unreadable("metadata is too large for headers");
  const facts = parseFacts(metadata, { digest: record["digest"], nuid, time });
  if ("kind" in facts) return facts;

  const options = isRecord(record["options"]) ? record["options"] : {};
  const chunkSize = options["max_chunk_size"];
  const seek = metadata["s3.seek"];
  return {
    kind: "object",
    object: {
      info: {
        key,
        size,
        ...facts,
        properties,
        partSizes: parsePartSizes(metadata["s3.parts"], size),
        retention: parseRetention(metadata),
        ...(hasLegalHold(metadata) && HELD),
      },
      bytes: inParts ? { kind: "parts", nuid } : {
        kind: "group",
        nuid,
        chunks,
        chunkSize: isChunkSize(chunkSize) ? chunkSize : undefined,
        seek: seek !== undefined && seek.length <= MAX_SEEK_TEXT ? seek : undefined,
        seekInLayout: metadata["s3.layout"] === "seek",
        firstChunk: firstChunkOf(metadata),
        sha256: parseDigest(record["digest"]),
      },
    },
  };
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
  /** Sequence of the first chunk, if there is no seek table to tell it. */
  readonly firstChunk?: number | undefined;
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
  if (input.firstChunk !== undefined) metadata["s3.first"] = input.firstChunk.toString(36);
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
