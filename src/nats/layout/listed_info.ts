/**
 * Object info as a listing reads it: half of the work of reading all of it.
 * @module
 */

import type { ListedObject } from "../../store/listings.ts";
import { checkJson, decodeJson, groupNamedByJson } from "./info_json.ts";
import { firstChunkOf, parseFacts, STORAGE_CLASS } from "./info_metadata.ts";
import { parseJson } from "./json.ts";
import { type Nuid, parseNuid } from "./nuid.ts";
import { type MarkerFacts, markerIn, type VersionFacts, versionIn } from "./version_facts.ts";

/** The facts of a metadata message that a listing shows, and the nuid that it names. */
export type ListedInfo = {
  /** Undefined if there is no such object. A listing shows an unreadable object, so that a client can delete it. */
  readonly listed: Omit<ListedObject, "key"> | undefined;
  readonly nuid: Nuid | undefined;
  /** Why the object is unreadable; undefined if it is not. */
  readonly problem: string | undefined;
  /** Sequence of the first chunk; undefined if it is not stated. */
  readonly firstChunk: number | undefined;
  /** The version that the message states; undefined if it states none. */
  readonly version: VersionFacts | undefined;
  /** Its facts if it is a delete marker of S3. */
  readonly marker: MarkerFacts | undefined;
};

/**
 * Reads the facts of a metadata message that a listing shows.
 *
 * @param time The time when JetStream stored it.
 */
export function parseListed(payload: Uint8Array, time: Date): ListedInfo {
  return readListed(decodeJson(payload), time);
}

/** Does the same with the text of a metadata message, as the record of a version holds it. */
export function parseListedText(text: string, time: Date): ListedInfo {
  return readListed(parseJson(text), time);
}

function readListed(json: unknown, time: Date): ListedInfo {
  const checked = checkJson(json);
  const version = versionIn(json);
  if (checked.kind === "absent") {
    return version === undefined ? ABSENT : { ...ABSENT, version, marker: markerIn(json, time) };
  }
  if (checked.kind === "unreadable") {
    return unreadable(time, parseNuid(groupNamedByJson(json)), version, checked.reason);
  }
  const { metadata, size, nuid, record } = checked;
  const facts = parseFacts(metadata, { digest: record["digest"], nuid, time });
  if ("kind" in facts) return unreadable(time, nuid, version, facts.reason);
  const { etag, modified, checksum, owner } = facts;
  const storageClass = metadata[STORAGE_CLASS];
  const listed = { size, etag, modified, owner, checksum, storageClass };
  return {
    ...{ listed, nuid, problem: undefined, firstChunk: firstChunkOf(metadata) },
    ...{ version, marker: undefined },
  };
}

const ABSENT: ListedInfo = {
  listed: undefined,
  nuid: undefined,
  problem: undefined,
  firstChunk: undefined,
  version: undefined,
  marker: undefined,
};

function unreadable(
  modified: Date,
  nuid: Nuid | undefined,
  version: VersionFacts | undefined,
  problem: string,
): ListedInfo {
  const listed = { ...UNREADABLE, modified };
  return { listed, nuid, problem, firstChunk: undefined, version, marker: undefined };
}

const UNREADABLE = {
  size: 0,
  etag: `${"0".repeat(32)}-0`,
  owner: undefined,
  checksum: undefined,
  storageClass: undefined,
} as const;
