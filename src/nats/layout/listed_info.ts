/**
 * Object info as a listing reads it: half of the work of reading all of it.
 * @module
 */

import type { ListedObject } from "../../store/listings.ts";
import { checkJson, decodeJson, groupNamedByJson } from "./info_json.ts";
import { firstChunkOf, parseFacts, STORAGE_CLASS } from "./info_metadata.ts";
import { type Nuid, parseNuid } from "./nuid.ts";

/** The facts of a metadata message that a listing shows, and the nuid that it names. */
export type ListedInfo = {
  /** Undefined if there is no such object. A listing shows an unreadable object, so that a client can delete it. */
  readonly listed: Omit<ListedObject, "key"> | undefined;
  readonly nuid: Nuid | undefined;
  /** Why the object is unreadable; undefined if it is not. */
  readonly problem: string | undefined;
  /** Sequence of the first chunk; undefined if it is not stated. */
  readonly firstChunk: number | undefined;
};

/**
 * Reads the facts of a metadata message that a listing shows.
 *
 * @param time The time when JetStream stored it.
 */
export function parseListed(payload: Uint8Array, time: Date): ListedInfo {
  const json = decodeJson(payload);
  const checked = checkJson(json);
  if (checked.kind === "absent") return ABSENT;
  if (checked.kind === "unreadable") {
    return unreadable(time, parseNuid(groupNamedByJson(json)), checked.reason);
  }
  const { metadata, size, nuid, record } = checked;
  const facts = parseFacts(metadata, { digest: record["digest"], nuid, time });
  if ("kind" in facts) return unreadable(time, nuid, facts.reason);
  const { etag, modified, checksum, owner } = facts;
  const storageClass = metadata[STORAGE_CLASS];
  const listed = { size, etag, modified, owner, checksum, storageClass };
  return { listed, nuid, problem: undefined, firstChunk: firstChunkOf(metadata) };
}

const ABSENT: ListedInfo = {
  listed: undefined,
  nuid: undefined,
  problem: undefined,
  firstChunk: undefined,
};

function unreadable(modified: Date, nuid: Nuid | undefined, problem: string): ListedInfo {
  return { listed: { ...UNREADABLE, modified }, nuid, problem, firstChunk: undefined };
}

const UNREADABLE = {
  size: 0,
  etag: `${"0".repeat(32)}-0`,
  owner: undefined,
  checksum: undefined,
  storageClass: undefined,
} as const;
