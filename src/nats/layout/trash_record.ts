/**
 * The record of trash, `S3.trash.<nuid>`: JSON that names the key whose object had the chunk group.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
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
};

/** Returns the JSON of a trash record. */
export function formatTrash(key: ObjectKey, isReplaced: boolean): string {
  return JSON.stringify({ key, replaced: isReplaced || undefined });
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
  return { nuid, key, isReplaced: record?.["replaced"] === true };
}
