/**
 * Object info: the JSON of a metadata message, as ADR-20 has it and with what S3 needs beside it.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-20.md
 *
 * User metadata, tags and locks are where the Go gateway nats-s3 puts them; the rest of S3's are `metadata` keys that
 * begin with `s3.`. Object info is untrusted: a native client may write anything there.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { type Checksum, CHECKSUM_ALGORITHMS } from "../../s3/checksum.ts";
import { type ObjectProperties, SYSTEM_HEADERS, type SystemField } from "../../s3/metadata.ts";
import type { ObjectKey } from "../../s3/names.ts";
import type { ListedObject, ObjectInfo } from "../../store/store.ts";
import { type Nuid, parseNuid, type StoreName } from "./subjects.ts";
import { formatRuns, parseRuns } from "./runs.ts";

/** Where the chunks of an object are. */
export type ObjectBytes =
  /** One chunk group; `seek` says at which sequence each chunk is (see `seek.ts`). */
  | {
    readonly kind: "group";
    readonly nuid: Nuid;
    readonly chunks: number;
    readonly chunkSize: number | undefined;
    readonly seek: string | undefined;
    /** The seek table is too long for object info: `S3.layout.<nuid>` holds it. */
    readonly seekInLayout: boolean;
    /** Lower-case hex SHA-256 of all bytes, where the digest is one. */
    readonly sha256: string | undefined;
  }
  /** A group for each part: `S3.layout.<nuid>` names them. */
  | { readonly kind: "parts"; readonly nuid: Nuid };

/** An object as its metadata message tells it. */
export type StoredObject = {
  readonly info: ObjectInfo;
  readonly bytes: ObjectBytes;
};

/** A metadata message, read. */
export type ParsedInfo =
  | { readonly kind: "object"; readonly object: StoredObject }
  /** There is no such object: a delete marker of the object store, or a link. */
  | {
    readonly kind: "absent";
    /** Says so little that it was never an object: whoever wrote it has taken care of the bytes, if there were any. */
    readonly isBare: boolean;
  }
  /** Not to be trusted: the object cannot be read and its chunks are never purged. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** Longest list of part sizes that object info holds, in characters; a longer one is in the layout record alone. */
export const MAX_PARTS_TEXT = 2048;
/** Longest seek table that object info holds, in characters. */
export const MAX_SEEK_TEXT = 4096;

/** Most characters of an object's properties: what clients still take as headers. */
const MAX_PROPERTIES = 8192;

/** How long a message that marks a deleted object lives. */
export const TOMBSTONE_TTL = "336h";

const decoder = new TextDecoder();
const MARKER = { deleted: true } as const;

/**
 * Reads a metadata message.
 *
 * @param time When JetStream stored it.
 */
export function parseInfo(key: ObjectKey, payload: Uint8Array, time: Date): ParsedInfo {
  return parseJson(key, decodeJson(payload), time);
}

/** Reads a metadata message, and which nuid it names, as {@linkcode nuidOfInfo} does. */
export function parseInfoAndNuid(
  key: ObjectKey,
  payload: Uint8Array,
  time: Date,
): { readonly parsed: ParsedInfo; readonly nuid: Nuid | undefined } {
  const json = decodeJson(payload);
  return { parsed: parseJson(key, json, time), nuid: nuidOfJson(json) };
}

/** Undefined for what is no JSON. */
function decodeJson(payload: Uint8Array): unknown {
  // Where a message expired, the server may leave a marker without content.
  if (payload.length === 0) return MARKER;
  try {
    return JSON.parse(decoder.decode(payload));
  } catch {
    return undefined;
  }
}

function parseJson(key: ObjectKey, json: unknown, time: Date): ParsedInfo {
  const checked = checkJson(json);
  if (checked.kind !== "object") return checked;
  const { record, metadata, size, nuid, chunks, inParts } = checked;
  const properties = parseProperties(record["headers"], metadata);
  if (sizeOf(properties) > MAX_PROPERTIES) {
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

/** What every reader of object info looks at first. */
type CheckedJson =
  | Exclude<ParsedInfo, { readonly kind: "object" }>
  | {
    readonly kind: "object";
    readonly record: Readonly<Record<string, unknown>>;
    readonly metadata: Readonly<Record<string, string>>;
    readonly size: number;
    readonly nuid: Nuid;
    readonly chunks: number;
    readonly inParts: boolean;
  };

function checkJson(json: unknown): CheckedJson {
  if (json === undefined) return { kind: "unreadable", reason: "object info is not JSON" };
  if (!isRecord(json)) return { kind: "unreadable", reason: "object info is not an object" };

  const metadata = textRecord(json["metadata"]);
  const size = json["size"] ?? 0;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    return { kind: "unreadable", reason: "size is not a length" };
  }
  const absent = { kind: "absent", isBare: json["metadata"] === undefined } as const;
  const inParts = metadata["s3.layout"] === "parts";
  // A multipart object is marked deleted so that native clients leave it; a native delete sets its size to 0.
  if (json["deleted"] === true && !(inParts && size > 0)) return absent;
  const options = isRecord(json["options"]) ? json["options"] : {};
  if (options["link"] !== undefined && options["link"] !== null) return absent;

  const nuid = parseNuid(json["nuid"]);
  if (nuid === undefined) return { kind: "unreadable", reason: "nuid is not one token" };
  const chunks = json["chunks"] ?? 0;
  if (typeof chunks !== "number" || !Number.isSafeInteger(chunks) || chunks < 0) {
    return { kind: "unreadable", reason: "chunks is not a count" };
  }
  if (!inParts && (size === 0) !== (chunks === 0)) {
    return { kind: "unreadable", reason: "size and chunks contradict each other" };
  }
  return { kind: "object", record: json, metadata, size, nuid, chunks, inParts };
}

/** What a listing shows of a metadata message, and the nuid that it names. */
export type ListedInfo = {
  /** Undefined where there is no such object. An object that cannot be read is shown, so that it can be deleted. */
  readonly listed: Omit<ListedObject, "key"> | undefined;
  readonly nuid: Nuid | undefined;
};

/**
 * Reads what a listing shows of a metadata message: half of the work of {@linkcode parseInfo}.
 *
 * @param time When JetStream stored it.
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

/** Whether a metadata message may be that of an object in parts; a look at the object tells. */
export function mayBeInParts(payload: Uint8Array): boolean {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length).includes(IN_PARTS);
}

const IN_PARTS = '"s3.layout":"parts"';

/**
 * The nuid that a metadata message names, whatever else it says: the group that a new object replaces.
 */
export function nuidOfInfo(payload: Uint8Array): Nuid | undefined {
  return nuidOfJson(decodeJson(payload));
}

function nuidOfJson(json: unknown): Nuid | undefined {
  return isRecord(json) ? parseNuid(json["nuid"]) : undefined;
}

/** What a new object's metadata message says. */
export type InfoInput = {
  readonly store: StoreName;
  readonly key: ObjectKey;
  readonly nuid: Nuid;
  readonly size: number;
  readonly chunks: number;
  readonly chunkSize: number;
  /** Lower-case hex; undefined for a multipart object, whose bytes were never seen in one piece. */
  readonly sha256: string | undefined;
  readonly etag: string;
  readonly modified: Date;
  readonly properties: ObjectProperties;
  readonly checksum: Checksum | undefined;
  readonly owner: string;
  readonly seek: string | undefined;
  /** The bytes are where `S3.layout.<nuid>` says. */
  readonly layout: "parts" | "seek" | undefined;
  readonly partSizes: readonly number[] | undefined;
};

/** The JSON of a metadata message, as native clients read it. */
export function formatInfo(input: InfoInput): string {
  const { system, user, tags } = input.properties;
  const metadata: Record<string, string> = {
    "s3.etag": input.etag,
    "s3.modified": input.modified.toISOString(),
    "s3.owner": input.owner,
  };
  for (const [field, value] of Object.entries(system)) {
    if (field !== "contentType") metadata[systemKey(field as SystemField)] = value;
  }
  for (const [name, value] of Object.entries(user)) metadata[`x-amz-meta-${name}`] = value;
  for (const [name, value] of Object.entries(tags)) metadata[`x-amz-tag-${name}`] = value;
  if (input.checksum !== undefined) {
    const { algorithm, type, value } = input.checksum;
    metadata["s3.checksum"] = `${algorithm} ${type} ${value}`;
  }
  if (input.seek !== undefined) metadata["s3.seek"] = input.seek;
  if (input.layout !== undefined) metadata["s3.layout"] = input.layout;
  const parts = input.partSizes === undefined ? undefined : formatRuns(input.partSizes);
  if (parts !== undefined && parts.length <= MAX_PARTS_TEXT) metadata["s3.parts"] = parts;

  return JSON.stringify({
    name: input.key,
    ...(system.contentType !== undefined && { headers: { "Content-Type": [system.contentType] } }),
    metadata,
    options: { max_chunk_size: input.chunkSize },
    bucket: input.store,
    nuid: input.nuid,
    size: input.size,
    mtime: input.modified.toISOString(),
    chunks: input.chunks,
    digest: input.sha256 === undefined ? "" : formatDigest(input.sha256),
    // A native get would wait for chunks of a multipart object that are not where it looks.
    ...(input.layout === "parts" && { deleted: true }),
  });
}

/** The JSON of a delete marker of the object store, as native clients write it. */
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

/** ETag of an object that has no MD5. With its dash no client takes it for one and checks it. */
function digestETag(sha256: string | undefined, nuid: Nuid): string {
  return `${(sha256 ?? createHash("sha256").update(nuid).digest("hex")).slice(0, 32)}-0`;
}

function systemKey(field: SystemField): string {
  return `s3.${SYSTEM_HEADERS[field].replace(/^x-amz-/, "")}`;
}

const STORAGE_CLASS = systemKey("storageClass");

const SYSTEM_KEYS = (Object.keys(SYSTEM_HEADERS) as SystemField[])
  .map((field) => [field, systemKey(field)] as const);

function parseProperties(
  headers: unknown,
  metadata: Readonly<Record<string, string>>,
): ObjectProperties {
  const system: Partial<Record<SystemField, string>> = {};
  const user: Record<string, string> = {};
  const tags: Record<string, string> = {};
  for (const [field, name] of SYSTEM_KEYS) {
    const value = metadata[name];
    if (value !== undefined && field !== "contentType") system[field] = value;
  }
  const contentType = isRecord(headers) ? headers["Content-Type"] : undefined;
  if (Array.isArray(contentType) && typeof contentType[0] === "string") {
    system.contentType = contentType[0];
  }
  for (const [name, value] of Object.entries(metadata)) {
    if (name.startsWith("x-amz-meta-")) user[name.slice(11).toLowerCase()] = value;
    else if (name.startsWith("x-amz-tag-")) tags[name.slice(10)] = value;
  }
  return { system, user, tags };
}

function sizeOf({ system, user, tags }: ObjectProperties): number {
  let size = 0;
  for (const properties of [system, user, tags]) {
    for (const [name, value] of Object.entries(properties)) size += name.length + value.length;
  }
  return size;
}

function parseRetention(metadata: Readonly<Record<string, string>>): ObjectInfo["retention"] {
  const mode = metadata["x-amz-object-lock-mode"];
  if (mode === undefined) return undefined;
  // A date that cannot be read locks for ever: what was meant to be kept is kept.
  const until = parseTime(metadata["x-amz-object-lock-retain-until-date"]) ??
    new Date("9999-12-31T00:00:00Z");
  return { mode, until };
}

function parseChecksum(text: string | undefined): Checksum | undefined {
  const [algorithm, type, value] = text?.split(" ") ?? [];
  const known = CHECKSUM_ALGORITHMS.find((name) => name === algorithm);
  if (known === undefined || value === undefined) return undefined;
  if (type !== "FULL_OBJECT" && type !== "COMPOSITE") return undefined;
  return { algorithm: known, type, value };
}

function formatDigest(sha256: string): string {
  const text = Buffer.from(sha256, "hex").toString("base64url");
  return `SHA-256=${text}${"=".repeat(-text.length & 3)}`;
}

function parseDigest(digest: unknown): string | undefined {
  if (typeof digest !== "string" || !/^SHA-256=/i.test(digest)) return undefined;
  const bytes = Buffer.from(digest.slice(8), "base64url");
  return bytes.length === 32 ? bytes.toString("hex") : undefined;
}

function parseTime(text: string | undefined): Date | undefined {
  const time = text === undefined ? NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : new Date(time);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textRecord(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  if (Object.values(value).every((text) => typeof text === "string")) {
    return value as Record<string, string>;
  }
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] =>
      typeof entry[1] === "string"
    ),
  );
}
