/**
 * The `metadata` of object info, where S3's facts about an object are, and the digest.
 *
 * User metadata, tags and locks are where the Go gateway nats-s3 puts them; all other facts of S3 have keys that begin
 * with `s3.`.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { type Checksum, CHECKSUM_ALGORITHMS } from "../../s3/checksum_algorithms.ts";
import { type ObjectProperties, SYSTEM_HEADERS, type SystemField } from "../../s3/metadata.ts";
import type { ObjectInfo } from "../../store/objects.ts";
import { isRecord } from "./info_json.ts";
import type { Nuid } from "./nuid.ts";

/** Texts by name, as ADR-20 has them. */
type Metadata = Readonly<Record<string, string>>;

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
  for (const [name, value] of Object.entries(user)) metadata[`x-amz-meta-${name}`] = value;
  for (const [name, value] of Object.entries(tags)) metadata[`x-amz-tag-${name}`] = value;
}

/** Reads an object's properties from the headers and the metadata of its object info. */
export function parseProperties(headers: unknown, metadata: Metadata): ObjectProperties {
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

/** Returns the length of an object's properties, in characters. */
export function lengthOf({ system, user, tags }: ObjectProperties): number {
  let length = 0;
  for (const properties of [system, user, tags]) {
    for (const [name, value] of Object.entries(properties)) length += name.length + value.length;
  }
  return length;
}

/** Reads the retention of an object that the Go gateway locked. */
export function parseRetention(metadata: Metadata): ObjectInfo["retention"] {
  const mode = metadata["x-amz-object-lock-mode"];
  if (mode === undefined) return undefined;
  // A date that cannot be read locks forever, because someone meant to keep the object.
  const until = parseTime(metadata["x-amz-object-lock-retain-until-date"]) ??
    new Date("9999-12-31T00:00:00Z");
  return { mode, until };
}

/** Returns the text of a checksum: algorithm, type and value. */
export function formatChecksum({ algorithm, type, value }: Checksum): string {
  return `${algorithm} ${type} ${value}`;
}

/** Reads what {@linkcode formatChecksum} wrote; returns undefined for any other text. */
export function parseChecksum(text: string | undefined): Checksum | undefined {
  const [algorithm, type, value] = text?.split(" ") ?? [];
  const known = CHECKSUM_ALGORITHMS.find((name) => name === algorithm);
  if (known === undefined || value === undefined) return undefined;
  if (type !== "FULL_OBJECT" && type !== "COMPOSITE") return undefined;
  return { algorithm: known, type, value };
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

/** Reads a time; returns undefined for a text that is not one. */
export function parseTime(text: string | undefined): Date | undefined {
  const time = text === undefined ? NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : new Date(time);
}
