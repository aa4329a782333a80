/**
 * How buckets lie in JetStream: names of streams and subjects, the JSON of object info.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-20.md
 *
 * Pure, and alone in spelling `OBJ_` and `$O.`, and in mapping S3 bucket names (dots allowed) to object-store names
 * (underscores allowed). What ADR-20 does not know lies under `$O.<store>.S3.`, which native clients ignore.
 *
 * Object info is untrusted: a native client may write anything there. A nuid becomes part of a purge's subject only
 * after it was found to be one token.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { type Checksum, CHECKSUM_ALGORITHMS } from "../s3/checksum.ts";
import { type ObjectProperties, SYSTEM_HEADERS, type SystemField } from "../s3/metadata.ts";
import { type BucketName, isS3BucketName, MAX_KEY_BYTES, type ObjectKey } from "../s3/names.ts";
import type { ObjectInfo } from "../store/store.ts";
import { formatRuns, parseRuns } from "./seek.ts";

/** Name of a native object store. */
export type StoreName = string & { readonly [brand]: "StoreName" };
declare const brand: unique symbol;

/** Version of the layout that this gateway reads and writes. */
export const LAYOUT_VERSION = 1;

/** Stores that belong to the Go gateway's multipart uploads and are no buckets. */
const NOT_BUCKETS = new Set(["mp_temp"]);
const STORE_NAME = /^[A-Za-z0-9_-]+$/;
const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The store of a bucket, or undefined where the spelling is not the one that works: a store whose name maps to a valid
 * bucket name (`_` → `.`) has only that bucket name, any other store only its own.
 *
 * @example Usage
 * ```ts
 * import { storeOf } from "./layout.ts";
 * import type { BucketName } from "../s3/names.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(storeOf("my.bucket" as BucketName), "my_bucket");
 * strictEqual(storeOf("my_bucket" as BucketName), undefined); // only "my.bucket" names it
 * strictEqual(storeOf("My_Bucket" as BucketName), "My_Bucket");
 * ```
 */
export function storeOf(bucket: BucketName): StoreName | undefined {
  const store = bucket.replaceAll(".", "_") as StoreName;
  return bucketOf(store) === bucket ? store : undefined;
}

/** The one name under which a store is served, or undefined where it is no bucket. */
export function bucketOf(store: string): BucketName | undefined {
  if (!STORE_NAME.test(store) || NOT_BUCKETS.has(store)) return undefined;
  const mapped = store.replaceAll("_", ".");
  return (isS3BucketName(mapped) ? mapped : store) as BucketName;
}

/** Name of a store's stream. */
export function streamOf(store: StoreName): string {
  return `OBJ_${store}`;
}

/** The store of a stream, or undefined where the stream has another purpose. */
export function storeOfStream(stream: string): StoreName | undefined {
  return stream.startsWith("OBJ_") ? stream.slice(4) as StoreName : undefined;
}

/** Subjects of a bucket's stream. */
export type Subjects = {
  readonly chunks: string;
  readonly infos: string;
  readonly records: string;
};

/** The three subjects that a bucket's stream captures. */
export function subjectsOf(store: StoreName): Subjects {
  return {
    chunks: `$O.${store}.C.>`,
    infos: `$O.${store}.M.>`,
    records: `$O.${store}.S3.>`,
  };
}

/** Subject of a chunk group. */
export function chunkSubject(store: StoreName, nuid: Nuid): string {
  return `$O.${store}.C.${nuid}`;
}

/** Subject of the chunks of one attempt at a part. */
export function partChunkSubject(
  store: StoreName,
  nuid: Nuid,
  part: number | "*",
  attempt: string,
): string {
  return `$O.${store}.C.${nuid}.${part}.${attempt}`;
}

/** Subject of a key's object info. */
export function infoSubject(store: StoreName, key: ObjectKey): string {
  return `$O.${store}.M.${encodeKey(key)}`;
}

/** The key whose object info this subject holds, or undefined where it is no key. */
export function keyOfSubject(store: StoreName, subject: string): ObjectKey | undefined {
  const prefix = `$O.${store}.M.`;
  return subject.startsWith(prefix) ? decodeKey(subject.slice(prefix.length)) : undefined;
}

/** Subjects of our records. */
export const records = {
  bucket: (store: StoreName, document: "owner" | "layout" | "*"): string =>
    `$O.${store}.S3.bucket.${document}`,
  upload: (store: StoreName, id: string): string => `$O.${store}.S3.upload.${id}`,
  part: (store: StoreName, id: string, part: number | "*"): string =>
    `$O.${store}.S3.part.${id}.${part}`,
  layout: (store: StoreName, nuid: Nuid): string => `$O.${store}.S3.layout.${nuid}`,
  trash: (store: StoreName, nuid: Nuid | "*"): string => `$O.${store}.S3.trash.${nuid}`,
  lease: (store: StoreName, nuid: Nuid | "*", gateway: string): string =>
    `$O.${store}.S3.lease.${nuid}.${gateway}`,
  lock: (store: StoreName, task: string): string => `$O.${store}.S3.lock.${task}`,
} as const;

/** A chunk group's id, checked to be one token. */
export type Nuid = string & { readonly [brand]: "Nuid" };

/** The nuid in a text, or undefined where it is not one token and would reach other groups' chunks. */
export function parseNuid(text: unknown): Nuid | undefined {
  return typeof text === "string" && TOKEN.test(text) ? text as Nuid : undefined;
}

/** base64url, padded, as nats.js and nats.go write keys. */
export function encodeKey(key: ObjectKey): string {
  const text = Buffer.from(key, "utf8").toString("base64url");
  return text + "=".repeat(-text.length & 3);
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeKey(token: string): ObjectKey | undefined {
  const bytes = Buffer.from(token, "base64url");
  if (bytes.length === 0 || bytes.length > MAX_KEY_BYTES) return undefined;
  try {
    const key = strictUtf8.decode(bytes) as ObjectKey;
    return encodeKey(key) === token ? key : undefined; // one spelling of a key, or reads would miss it
  } catch {
    return undefined;
  }
}

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
  /** There is no such object: a delete marker of the object store, or a link. `nuid` is what it may still name. */
  | { readonly kind: "absent" }
  /** Not to be trusted: the object cannot be read and its chunks are never purged. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** Longest list of part sizes that object info holds, in characters; a longer one is in the layout record alone. */
const MAX_PARTS_TEXT = 2048;

/** Most characters of an object's properties: what clients still take as headers. */
const MAX_PROPERTIES = 8192;

/** How long a message that marks a deleted object lives. */
export const TOMBSTONE_TTL = "336h";

const decoder = new TextDecoder();

/**
 * Reads a metadata message.
 *
 * @param time When JetStream stored it.
 */
export function parseInfo(key: ObjectKey, payload: Uint8Array, time: Date): ParsedInfo {
  let json: unknown;
  try {
    json = JSON.parse(decoder.decode(payload));
  } catch {
    return { kind: "unreadable", reason: "object info is not JSON" };
  }
  if (!isRecord(json)) return { kind: "unreadable", reason: "object info is not an object" };

  const metadata = textRecord(json["metadata"]);
  const size = json["size"] ?? 0;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    return { kind: "unreadable", reason: "size is not a length" };
  }
  const inParts = metadata["s3.layout"] === "parts";
  // A multipart object is marked deleted so that native clients leave it; a native delete sets its size to 0.
  if (json["deleted"] === true && !(inParts && size > 0)) return { kind: "absent" };
  const options = isRecord(json["options"]) ? json["options"] : {};
  if (options["link"] !== undefined && options["link"] !== null) return { kind: "absent" };

  const nuid = parseNuid(json["nuid"]);
  if (nuid === undefined) return { kind: "unreadable", reason: "nuid is not one token" };
  const chunks = json["chunks"] ?? 0;
  if (typeof chunks !== "number" || !Number.isSafeInteger(chunks) || chunks < 0) {
    return { kind: "unreadable", reason: "chunks is not a count" };
  }
  if (!inParts && (size === 0) !== (chunks === 0)) {
    return { kind: "unreadable", reason: "size and chunks contradict each other" };
  }

  const properties = parseProperties(json["headers"], metadata);
  if (sizeOf(properties) > MAX_PROPERTIES) {
    return { kind: "unreadable", reason: "metadata is too large for headers" };
  }

  const sha256 = parseDigest(json["digest"]);
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

/**
 * The nuid that a metadata message names, whatever else it says: the group that a new object replaces.
 */
export function nuidOfInfo(payload: Uint8Array): Nuid | undefined {
  try {
    const json: unknown = JSON.parse(decoder.decode(payload));
    return isRecord(json) ? parseNuid(json["nuid"]) : undefined;
  } catch {
    return undefined;
  }
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

function parseProperties(
  headers: unknown,
  metadata: Readonly<Record<string, string>>,
): ObjectProperties {
  const system: Partial<Record<SystemField, string>> = {};
  const user: Record<string, string> = {};
  const tags: Record<string, string> = {};
  for (const field of Object.keys(SYSTEM_HEADERS) as SystemField[]) {
    const value = metadata[systemKey(field)];
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
  const texts: Record<string, string> = Object.create(null);
  if (!isRecord(value)) return texts;
  for (const [name, text] of Object.entries(value)) {
    if (typeof text === "string") texts[name] = text;
  }
  return texts;
}
