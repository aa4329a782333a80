/**
 * The `metadata` of object info, where S3's facts about an object are, and the digest.
 *
 * User metadata, tags and locks are where the Go gateway nats-s3 puts them; all other facts of S3 have keys that begin
 * with `s3.`.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import {
  type Checksum,
  CHECKSUM_ALGORITHMS,
  CHECKSUM_TYPES,
  isChecksumValue,
} from "../../s3/checksum_algorithms.ts";
import { type ObjectProperties, SYSTEM_HEADERS, type SystemField } from "../../s3/metadata.ts";
import { MAX_PART_NUMBER } from "../../s3/names.ts";
import type { ObjectInfo } from "../../store/objects.ts";
import { type Unreadable, unreadable } from "./info_json.ts";
import { isRecord } from "./json.ts";
import type { Nuid } from "./nuid.ts";
import { isLockReadable } from "./object_lock.ts";
import { parseRuns } from "./runs.ts";
import { parseTime } from "./times.ts";

/** Texts by name, as ADR-20 has them. */
type Metadata = Readonly<Record<string, string>>;

/** Longest list of part sizes in object info, in characters; only the chunk map holds a longer one. */
export const MAX_PARTS_TEXT = 2048;
/** Longest seek table in object info, in characters. */
export const MAX_SEEK_TEXT = 4096;
/** Most characters of an object's properties; clients accept no longer headers. */
export const MAX_PROPERTIES = 8192;
/** Most characters of the name of an owner or of a storage class. */
export const MAX_NAME = 1024;

/** Prefixes of the metadata keys of user metadata and of tags. */
export const META_PREFIX = "x-amz-meta-";
export const TAG_PREFIX = "x-amz-tag-";

/** The metadata key of the storage class. */
export const STORAGE_CLASS = systemKey("storageClass");

/** The metadata keys of system properties. */
export const SYSTEM_KEYS = (Object.keys(SYSTEM_HEADERS) as SystemField[])
  .map((field) => [field, systemKey(field)] as const);

function systemKey(field: SystemField): string {
  return `s3.${SYSTEM_HEADERS[field].replace(/^x-amz-/, "")}`;
}

/** Adds an object's properties to its metadata, except the content type, which is a header in ADR-20. */
export function addProperties(
  metadata: Record<string, string>,
  { system, user, tags }: ObjectProperties,
): void {
  for (const [field, value] of Object.entries(system)) {
    if (field !== "contentType") metadata[systemKey(field as SystemField)] = value;
  }
  for (const [name, value] of Object.entries(user)) metadata[META_PREFIX + name] = value;
  for (const [name, value] of Object.entries(tags)) metadata[TAG_PREFIX + name] = value;
}

/** Reads an object's properties from the headers and the metadata of its object info. */
export function parseProperties(headers: unknown, metadata: Metadata): ObjectProperties {
  const system: Partial<Record<SystemField, string>> = {};
  const user: [name: string, value: string][] = [];
  const tags: [name: string, value: string][] = [];
  for (const [field, name] of SYSTEM_KEYS) {
    const value = metadata[name];
    if (value !== undefined && field !== "contentType") system[field] = value;
  }
  const contentType = isRecord(headers) ? headers["Content-Type"] : undefined;
  if (Array.isArray(contentType) && typeof contentType[0] === "string") {
    system.contentType = contentType[0];
  }
  for (const [name, value] of Object.entries(metadata)) {
    if (name.startsWith(META_PREFIX)) {
      user.push([name.slice(META_PREFIX.length).toLowerCase(), value]);
    } else if (name.startsWith(TAG_PREFIX)) tags.push([name.slice(TAG_PREFIX.length), value]);
  }
  // An assignment to "__proto__" would be lost.
  return { system, user: Object.fromEntries(user), tags: Object.fromEntries(tags) };
}

/** Returns the length of an object's properties, in characters. */
export function lengthOf({ system, user, tags }: ObjectProperties): number {
  let length = 0;
  for (const properties of [system, user, tags]) {
    for (const [name, value] of Object.entries(properties)) length += name.length + value.length;
  }
  return length;
}

/** The facts that reads and listings show. */
export type InfoFacts = Pick<ObjectInfo, "etag" | "modified" | "checksum" | "owner">;

/** Printable ASCII without quotation marks. Our ETags have 32 hexadecimal digits, and perhaps a count. */
const ETAG = /^[!#-~]{1,128}$/;

/** Returns whether a value is an ETag that fits between the quotation marks of a header. */
export function isETag(value: unknown): value is string {
  return typeof value === "string" && ETAG.test(value);
}

/**
 * Reads the facts that reads and listings show.
 *
 * @param digest As object info states it; parsed only where there is no ETag.
 * @param time The time when JetStream stored the message.
 */
export function parseFacts(
  metadata: Metadata,
  { digest, nuid, time }: {
    readonly digest: unknown;
    readonly nuid: Nuid;
    readonly time: Date;
  },
): InfoFacts | Unreadable {
  const { "s3.etag": etag, "s3.modified": modified, "s3.owner": owner } = metadata;
  if (etag !== undefined && !isETag(etag)) return unreadable("the ETag is not one");
  if (owner !== undefined && owner.length > MAX_NAME) return unreadable("the owner is too long");
  if (!isLockReadable(metadata)) return unreadable("the mode of object lock is unknown");
  const storageClass = metadata[STORAGE_CLASS];
  if (storageClass !== undefined && storageClass.length > MAX_NAME) {
    return unreadable("the storage class is too long");
  }
  const checksum = parseChecksum(metadata["s3.checksum"]);
  if (checksum === "malformed") return unreadable("the checksum is malformed");
  return {
    etag: etag ?? digestETag(parseDigest(digest), nuid),
    modified: parseTime(modified) ?? time,
    checksum,
    owner,
  };
}

/**
 * Reads the sizes of an object's parts; returns undefined if they are not stated or contradict the object's size. A
 * multipart object's chunk map also states them.
 */
export function parsePartSizes(
  text: string | undefined,
  size: number,
): readonly number[] | undefined {
  if (text === undefined || text.length > MAX_PARTS_TEXT) return undefined;
  const sizes = parseRuns(text, 10, MAX_PART_NUMBER);
  return sizes?.reduce((sum, part) => sum + part, 0) === size ? sizes : undefined;
}

/** Returns the sequence of the first chunk that metadata states; undefined if it states none. */
export function firstChunkOf(metadata: Metadata): number | undefined {
  const text = metadata["s3.first"] ?? metadata["s3.seek"];
  if (text === undefined) return undefined;
  const first = Number.parseInt(text, 36); // a seek table begins with it
  return Number.isSafeInteger(first) ? first : undefined;
}

/** Returns the text of a checksum: algorithm, type and value. */
export function formatChecksum({ algorithm, type, value }: Checksum): string {
  return `${algorithm} ${type} ${value}`;
}

/** Returns whether a value is a checksum that a header may show. */
export function isChecksum(value: unknown): value is Checksum {
  if (!isRecord(value)) return false;
  const { algorithm, type, value: base64 } = value;
  const known = CHECKSUM_ALGORITHMS.find((name) => name === algorithm);
  return known !== undefined && CHECKSUM_TYPES.some((name) => name === type) &&
    typeof base64 === "string" && isChecksumValue(known, base64);
}

/**
 * Reads what {@linkcode formatChecksum} wrote; returns undefined if there is none, or one of an algorithm that only a newer
 * gateway knows.
 */
function parseChecksum(text: string | undefined): Checksum | "malformed" | undefined {
  if (text === undefined) return undefined;
  const [algorithm = "", type, value = "", ...more] = text.split(" ", 4);
  if (more.length > 0) return "malformed";
  const checksum: unknown = { algorithm, type, value };
  if (isChecksum(checksum)) return checksum;
  const isKnown = CHECKSUM_ALGORITHMS.some((name) => name === algorithm);
  return !isKnown && /^[A-Z0-9]{1,16}$/.test(algorithm) ? undefined : "malformed";
}

/** Returns the digest of ADR-20 for a SHA-256 in hex. */
export function formatDigest(sha256: string): string {
  const text = Buffer.from(sha256, "hex").toString("base64url");
  return `SHA-256=${text}${"=".repeat(-text.length & 3)}`;
}

/** Returns the SHA-256 of a digest in lower-case hex; undefined for any other digest. */
export function parseDigest(digest: unknown): string | undefined {
  if (typeof digest !== "string" || !/^SHA-256=/i.test(digest)) return undefined;
  const bytes = Buffer.from(digest.slice(8), "base64url");
  return bytes.length === 32 ? bytes.toString("hex") : undefined;
}

/** Returns the ETag of an object without an MD5. Its dash keeps clients from checking it as an MD5. */
export function digestETag(sha256: string | undefined, nuid: Nuid): string {
  return `${(sha256 ?? createHash("sha256").update(nuid).digest("hex")).slice(0, 32)}-0`;
}
