/**
 * The record of a multipart upload, `S3.upload.<id>`: JSON that states what the upload will become.
 *
 * Once the upload has ended, the record states so for a few minutes and expires. What a completed upload became is also on
 * `S3.upload.<id>.done`, for a week. So `S3.upload.*` matches few records beside those of open uploads, however many have
 * ended.
 * @module
 */

import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  type ChecksumType,
  checksumTypes,
} from "../../s3/checksum_algorithms.ts";
import { type ObjectProperties, SYSTEM_HEADERS } from "../../s3/metadata.ts";
import type { ObjectKey, UploadId } from "../../s3/names.ts";
import { readVersionId, type VersionId } from "../../s3/version_id.ts";
import type { LockInput, ObjectInfo } from "../../store/objects.ts";
import { findNeeds } from "./info_json.ts";
import { isChecksum, isETag, lengthOf, MAX_NAME, MAX_PROPERTIES } from "./info_metadata.ts";
import { isRecord, isTextRecord, parseRecord } from "./json.ts";
import { parseKey } from "./key_encoding.ts";
import type { StoreName } from "./names.ts";
import { records } from "./subjects.ts";
import { parseTime } from "./times.ts";

/** The content of an upload's record. */
export type UploadRecord = {
  readonly state: "open" | "done" | "aborted";
  readonly key: ObjectKey;
  readonly initiated: string;
  readonly owner: string;
  readonly properties: ObjectProperties;
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
  /** The client named no algorithm. Absent if it did. */
  readonly checksumIsDefault?: boolean | undefined;
  /** The object that a Complete made: the response when a client repeats it. */
  readonly result?: Pick<ObjectInfo, "size" | "etag" | "checksum"> & {
    readonly modified: string;
    readonly versionId?: VersionId;
  };
  /** Object lock that the object is to have. Absent without one. */
  readonly lock?: LockInput | undefined;
};

/** How long the record of an upload that has ended stays beside those of open uploads. */
export const ENDED_TTL = "5m";
/** How long a completed upload repeats its response to a repeated Complete. */
export const DONE_TTL = "168h";

/** Returns the subject of the record that a completed upload leaves. */
export function uploadEndSubject(store: StoreName, id: UploadId): string {
  return records.upload(store, `${id}.done`);
}

/** Returns the JSON of an upload's record. */
export function formatUploadRecord(record: UploadRecord): string {
  return JSON.stringify(record);
}

/**
 * Reads an upload's record; returns undefined for a text that cannot be trusted. An upload whose record cannot be read
 * counts as open: the sweep keeps its parts.
 */
export function parseUploadRecord(text: string): UploadRecord | undefined {
  const json = parseRecord(text);
  if (json === undefined || findNeeds(json["needs"]) !== undefined) return undefined;
  const { state, initiated, owner, properties, algorithm, checksumType, result } = json;
  const { checksumIsDefault } = json;
  const key = parseKey(json["key"]);
  const isRead = STATES.some((known) => known === state) && key !== undefined &&
    parseTime(initiated) !== undefined && typeof owner === "string" &&
    owner.length <= MAX_NAME && areProperties(properties) &&
    areChecksumsOf(algorithm, checksumType) &&
    (checksumIsDefault === undefined || typeof checksumIsDefault === "boolean") &&
    (result === undefined || isResult(result));
  const lock = parseLock(json["lock"]);
  return isRead && lock !== undefined ? { ...json as UploadRecord, ...lock } : undefined;
}

/** Reads the lock of an upload; undefined for one that cannot be read. */
function parseLock(value: unknown): { readonly lock?: LockInput } | undefined {
  if (value === undefined) return {};
  if (!isRecord(value)) return undefined;
  const { retention, legalHold } = value;
  if (legalHold !== undefined && typeof legalHold !== "boolean") return undefined;
  const hold = legalHold === undefined ? {} : { legalHold };
  if (retention === undefined) return { lock: hold };
  if (!isRecord(retention)) return undefined;
  const { mode, until, days } = retention;
  if (mode !== "GOVERNANCE" && mode !== "COMPLIANCE") return undefined;
  if (typeof days === "number" && Number.isSafeInteger(days) && days > 0) {
    return { lock: { ...hold, retention: { mode, days } } };
  }
  const date = parseTime(until);
  return date && { lock: { ...hold, retention: { mode, until: date } } };
}

const STATES: readonly UploadRecord["state"][] = ["open", "done", "aborted"];

/** Returns whether an upload can have this kind of checksums, or has none. */
function areChecksumsOf(algorithm: unknown, type: unknown): boolean {
  if (algorithm === undefined) return type === undefined;
  const known = CHECKSUM_ALGORITHMS.find((name) => name === algorithm);
  return known !== undefined && checksumTypes(known).some((name) => name === type);
}

function areProperties(value: unknown): value is ObjectProperties {
  if (!isRecord(value)) return false;
  const { system, user, tags } = value;
  if (!isTextRecord(system) || !isTextRecord(user) || !isTextRecord(tags)) return false;
  return Object.keys(system).every((field) => Object.hasOwn(SYSTEM_HEADERS, field)) &&
    lengthOf({ system, user, tags }) <= MAX_PROPERTIES;
}

function isResult(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { size, etag, modified, checksum, versionId } = value;
  return Number.isSafeInteger(size) && (size as number) >= 0 && isETag(etag) &&
    parseTime(modified) !== undefined && (checksum === undefined || isChecksum(checksum)) &&
    (versionId === undefined || readVersionId(versionId) !== undefined);
}
