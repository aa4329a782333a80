/**
 * The record of trash, `S3.trash.<nuid>`: JSON that names the key whose object had the chunk group.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import { NULL_VERSION, readVersionId, type VersionId } from "../../s3/version_id.ts";
import { parseRecord } from "./json.ts";
import { parseKey } from "./key_encoding.ts";
import type { StoreName } from "./names.ts";
import { type Nuid, parseNuid } from "./nuid.ts";
import { parseSubjectOf } from "./subjects.ts";

/** The content of a trash record. */
export type TrashRecord = {
  readonly nuid: Nuid;
  readonly key: ObjectKey;
  /** The group had been replaced when this was recorded. */
  readonly isReplaced: boolean;
  /** The version that had the group: `null` unless it is stated. */
  readonly version: VersionId;
};

/** Returns the JSON of a trash record. */
export function formatTrash(key: ObjectKey, isReplaced: boolean, version?: VersionId): string {
  return JSON.stringify({ key, replaced: isReplaced || undefined, version });
}

/** Reads a trash record; returns undefined for one that cannot be trusted, whose group stays. */
export function parseTrash(
  store: StoreName,
  subject: string,
  text: string,
): TrashRecord | undefined {
  const nuid = parseNuid(parseSubjectOf("trash", store, subject)?.nuid);
  const record = parseRecord(text);
  const key = parseKey(record?.["key"]);
  if (nuid === undefined || key === undefined) return undefined;
  const version = readVersionId(record?.["version"]) ?? NULL_VERSION;
  return { nuid, key, isReplaced: record?.["replaced"] === true, version };
}
