/**
 * Stray object info: it came to a stream that does not have its chunks. Pure.
 *
 * A bucket may be deleted and created again between the chunks of a PUT and its object info. The gateway notices that and
 * takes the object info back, unless it ends first. Until then the object info is stray: it counts as no object. The
 * sequences tell, because those of a new stream begin with the time: no chunk can be older than its stream, or newer than
 * the object info that names it.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import { isNuidOf, type Nuid } from "./nuid.ts";
import type { ReadInfo } from "./object_info.ts";

/** Where a message of object info is. */
export type InfoPlace = {
  /** Sequence with which its stream began, which is a time; 0 if it is not, and then nothing is stray. */
  readonly since: number;
  /** Sequence of the message. */
  readonly sequence: number;
};

/** Returns the sequence of the first chunk that object info states; undefined if it states none. */
export function firstChunkIn({ parsed }: Pick<ReadInfo, "parsed">): number | undefined {
  if (parsed.kind !== "object" || parsed.object.bytes.kind !== "group") return undefined;
  return parsed.object.bytes.firstChunk;
}

/**
 * Tells whether object info is stray. Only that of a group whose nuid was made for the key can be: a native client that
 * copies the metadata of another object writes a nuid of its own.
 *
 * @param firstChunk See `firstChunkOf()`.
 */
export function isStray(
  key: ObjectKey,
  nuid: Nuid | undefined,
  firstChunk: number | undefined,
  place: InfoPlace,
): boolean {
  return isElsewhere(firstChunk, place) && nuid !== undefined && isNuidOf(nuid, key);
}

/** Tells whether a chunk cannot be in the stream of the object info that names it. */
export function isElsewhere(
  firstChunk: number | undefined,
  { since, sequence }: InfoPlace,
): boolean {
  return firstChunk !== undefined && since > 0 && (firstChunk < since || firstChunk > sequence);
}

/** Returns what object info says, or that there is no object if it is stray. */
export function withoutStray(key: ObjectKey, info: ReadInfo, place: InfoPlace): ReadInfo {
  if (!isStray(key, info.nuid, firstChunkIn(info), place)) return info;
  return { ...info, parsed: { kind: "absent", isBare: false }, lockedUntil: undefined };
}
