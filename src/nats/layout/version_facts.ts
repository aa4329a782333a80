/**
 * What object info says about its version, in `metadata`: `s3.version` is the version id, and `s3.ordinal` the ordinal of the
 * version `null`. Object info without a version id is the version `null`.
 *
 * A delete marker of S3 says so in `s3.marker`. A native client that deletes an object keeps the metadata, and with it the
 * version id, so `deleted` alone makes no marker: what it leaves is no version.
 * @module
 */

import { NULL_VERSION, ordinalOf, readVersionId, type VersionId } from "../../s3/version_id.ts";
import { isRecord } from "./json.ts";
import { parseTime } from "./times.ts";

/** The version that object info states. */
export type VersionFacts = {
  readonly id: VersionId;
  /** Its place among the versions of its key; 0 if object info does not state it. */
  readonly ordinal: number;
};

/** A delete marker of S3. */
export type MarkerFacts = {
  readonly modified: Date;
  readonly owner: string | undefined;
};

const VERSION = "s3.version";
const ORDINAL = "s3.ordinal";
const MARKER = "s3.marker";

/** Returns the version that the JSON of object info states; undefined if it states none. */
export function versionIn(json: unknown): VersionFacts | undefined {
  const metadata = isRecord(json) ? json["metadata"] : undefined;
  if (!isRecord(metadata)) return undefined;
  const id = readVersionId(metadata[VERSION]);
  return id && { id, ordinal: ordinalOf(id) ?? readOrdinal(metadata[ORDINAL]) };
}

/**
 * Returns the facts of a delete marker; undefined if the JSON of object info, which says that the object is deleted, is none:
 * a native delete is no version.
 *
 * @param time When JetStream stored it.
 */
export function markerIn(json: unknown, time: Date): MarkerFacts | undefined {
  const metadata = isRecord(json) ? json["metadata"] : undefined;
  if (!isRecord(metadata) || metadata[MARKER] !== "1") return undefined;
  if (readVersionId(metadata[VERSION]) === undefined) return undefined;
  const owner = metadata["s3.owner"];
  return {
    modified: parseTime(metadata["s3.modified"]) ?? time,
    owner: typeof owner === "string" ? owner : undefined,
  };
}

/** Returns the metadata that states a version. */
export function versionMetadata({ id, ordinal }: VersionFacts): Readonly<Record<string, string>> {
  return { [VERSION]: id, ...(id === NULL_VERSION && { [ORDINAL]: `${ordinal}` }) };
}

/** Returns the metadata of a delete marker. */
export function markerMetadata(
  version: VersionFacts,
  { modified, owner }: MarkerFacts,
): Readonly<Record<string, string>> {
  return {
    "s3.modified": modified.toISOString(),
    ...(owner !== undefined && { "s3.owner": owner }),
    ...versionMetadata(version),
    [MARKER]: "1",
  };
}

function readOrdinal(text: unknown): number {
  if (typeof text !== "string" || !/^\d{1,16}$/.test(text)) return 0;
  const ordinal = Number(text);
  return Number.isSafeInteger(ordinal) ? ordinal : 0;
}
