/**
 * Object info: the JSON of a metadata message, as ADR-20 has it, with S3's facts added.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-20.md
 *
 * S3's facts are in its `metadata` (`info_metadata.ts`). Object info is untrusted: a native client may write anything
 * there.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import { readVersionId } from "../../s3/version_id.ts";
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
  firstChunkOf,
  lengthOf,
  MAX_PROPERTIES,
  MAX_SEEK_TEXT,
  parseDigest,
  parseFacts,
  parsePartSizes,
  parseProperties,
} from "./info_metadata.ts";
import { decodeText, isRecord } from "./json.ts";
import { type Nuid, parseNuid } from "./nuid.ts";
import { lockedUntil, lockedUntilInText, parseLegalHold, parseRetention } from "./object_lock.ts";
import type { RawInfo } from "./unknown_fields.ts";
import { type MarkerFacts, markerIn, type VersionFacts, versionIn } from "./version_facts.ts";

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
  /** The version that the message states; undefined if it states none. */
  readonly version: VersionFacts | undefined;
  /** Its facts if it is a delete marker of S3. */
  readonly marker: MarkerFacts | undefined;
};

/** Reads a metadata message, and by themselves the facts that hold even if it is unreadable. */
export function readInfo(key: ObjectKey, payload: Uint8Array, time: Date): ReadInfo {
  const json = decodeJson(payload);
  const raw = isRecord(json) ? json : undefined;
  const isDamaged = json === undefined;
  const parsed = parseJson(key, json, time);
  return {
    parsed,
    raw,
    nuid: parseNuid(isDamaged ? groupNamedBy(payload) : groupNamedByJson(json)),
    lockedUntil: isDamaged ? lockedUntilInText(decodeText(payload)) : lockedUntil(json),
    version: versionIn(json),
    marker: parsed.kind === "absent" ? markerIn(json, time) : undefined,
  };
}

function statedVersion(metadata: Readonly<Record<string, string>>): Pick<ObjectInfo, "versionId"> {
  const versionId = readVersionId(metadata["s3.version"]);
  return versionId === undefined ? NO_VERSION : { versionId };
}

function statedHold(metadata: Readonly<Record<string, string>>): Pick<ObjectInfo, "legalHold"> {
  const legalHold = parseLegalHold(metadata);
  return legalHold === undefined ? NO_HOLD : { legalHold };
}

const NO_VERSION = {} as const;
const NO_HOLD = {} as const;

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
        ...statedVersion(metadata),
        ...statedHold(metadata),
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
