/**
 * Chunk groups that nothing names any more: puts them into the trash, or purges them at once.
 *
 * A replaced group may still be read. It is recorded as trash and purged after a grace, unless a reader's lease holds it. A
 * group that was never committed has no reader and is purged at once. So is a group of few chunks, whose readers have all
 * of it or nothing. A completed upload goes into the trash as well: while its object is current, only the records of its
 * parts and the parts that the object does not use are purged.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { publishIfRoom } from "../jetstream/room.ts";
import { isRecord } from "../layout/json.ts";
import type { StoreName } from "../layout/names.ts";
import { isNuidOf, type Nuid } from "../layout/nuid.ts";
import { chunkSubject, partChunkSubject } from "../layout/chunk_subjects.ts";
import { parseSubjectOf, records } from "../layout/subjects.ts";
import { formatTrash } from "../layout/trash_record.ts";
import { MAX_CHUNKS_AT_ONCE } from "./bytes.ts";
import type { ObjectsContext } from "./context.ts";
import type { Current } from "./current.ts";

/**
 * Frees the group that replaced object info named, once another write has certainly replaced it. A group of few chunks is
 * purged at once: a reader has them before its response begins, or finds them gone and reads the new object. A larger
 * group is trash, and so is any group of a bucket with renamed objects, because there the nuid's key may have no claim.
 */
export async function freeReplaced(
  needs: Pick<ObjectsContext, "requests" | "streams" | "log" | "trashed" | "unfinished">,
  stream: BucketStream,
  key: ObjectKey,
  current: Current,
): Promise<void> {
  if (!namesBytes(current)) return;
  const { parsed, nuid } = current;
  const bytes = parsed.kind === "object" ? parsed.object.bytes : undefined;
  // Without a seek table in the object info, readers walk the group chunk by chunk.
  const isReadAtOnce = bytes?.kind === "group" && bytes.chunks <= MAX_CHUNKS_AT_ONCE &&
    bytes.seek !== undefined && isNuidOf(bytes.nuid, key) && !stream.hasRenamed;
  if (isReadAtOnce) await discardGroup(needs, stream, bytes.nuid);
  else await trashGroup(needs, stream, key, nuid, reasonOf(current));
}

/**
 * Tells whether a group is free once the object info that names it is replaced. A native client that updates object info
 * writes what it read before, without an expected sequence, so it may name a group that was renamed meanwhile.
 */
export function reasonOf({ raw }: Pick<Current, "raw">): TrashReason {
  const metadata = raw?.["metadata"];
  return isRecord(metadata) && metadata["s3.etag"] !== undefined ? "replaced" : "perhaps named";
}

/** Tells whether object info may name bytes. */
export function namesBytes({ parsed, marker }: Pick<Current, "parsed" | "marker">): boolean {
  if (marker !== undefined) return false;
  if (parsed.kind === "absent") return !parsed.isBare;
  if (parsed.kind !== "object") return true;
  const { bytes } = parsed.object;
  return bytes.kind !== "group" || bytes.chunks > 0;
}

/**
 * Whether object info named a group when the trash was recorded. A group that was replaced may be purged after the grace.
 * A group that may have been named may be replaced at any later time, and its readers have a grace from then on. It may
 * also have been renamed, so that another key names it.
 */
export type TrashReason = "replaced" | "perhaps named";

/**
 * Records that a group may be purged after the grace. If the bucket is full, this gateway remembers the group. If the
 * record fails for another reason, the sweep finds the group.
 */
export async function trashGroup(
  { requests, log, trashed, unfinished }: Pick<
    ObjectsContext,
    "requests" | "log" | "trashed" | "unfinished"
  >,
  { bucket, store, prepared }: BucketStream,
  key: ObjectKey,
  nuid: Nuid | undefined,
  reason: TrashReason,
): Promise<void> {
  if (nuid === undefined || !prepared) return;
  try {
    const { subject, data, ...options } = trashMessage(store, key, nuid, reason);
    if (await publishIfRoom(requests, subject, data, options) === undefined) {
      unfinished.add(bucket, { key, nuid, marker: undefined });
    }
    trashed.add(bucket);
  } catch (cause) {
    log.warn("trash was not recorded", { bucket, nuid, cause });
  }
}

/** Returns the record of {@linkcode trashGroup}, to be published in one batch with the change that frees the group. */
export function trashMessage(
  store: StoreName,
  key: ObjectKey,
  nuid: Nuid,
  reason: TrashReason,
): { readonly subject: string; readonly data: string; readonly rollup: true } {
  const data = formatTrash(key, reason === "replaced");
  return { subject: records.trash(store, nuid), data, rollup: true };
}

/** Purges a group that nobody reads. If that fails, the sweep finds the group. */
export async function discardGroup(
  needs: Pick<ObjectsContext, "streams" | "log">,
  stream: BucketStream,
  nuid: Nuid,
): Promise<void> {
  await discardParts(needs, stream, chunkSubject(stream.store, nuid));
}

/** Purges a subject of chunks or part records that nothing names. If that fails, the sweep finds them. */
export async function discardParts(
  { streams, log }: Pick<ObjectsContext, "streams" | "log">,
  { bucket, stream }: BucketStream,
  subject: string,
): Promise<void> {
  try {
    await streams.purge(stream, subject);
  } catch (cause) {
    log.warn("unused chunks or records were not purged", { bucket, subject, cause });
  }
}

/** Returns the nuids that long reads hold now. */
export async function leasedGroups(
  { streams }: Pick<ObjectsContext, "streams">,
  { store, stream }: BucketStream,
): Promise<ReadonlySet<string>> {
  const subjects = await streams.listSubjects(stream, records.lease(store, "*", "*"));
  return new Set(subjects.map((subject) => parseSubjectOf("lease", store, subject)?.nuid ?? ""));
}

/** Purges all chunks of a nuid, in one group or in parts, and the records that describe them. */
export async function purgeGroup(
  { requests, streams }: Pick<ObjectsContext, "requests" | "streams">,
  { store, stream, hasRenamed }: BucketStream,
  nuid: Nuid,
): Promise<void> {
  await streams.purge(stream, chunkSubject(store, nuid));
  if (hasRenamed) await streams.purge(stream, records.renamed(store, nuid));
  const layout = records.layout(store, nuid);
  if (await requests.leaderGet(stream, { last_by_subj: layout }) === undefined) return;
  await streams.purge(stream, partChunkSubject(store, nuid, "*", "*"));
  await streams.purge(stream, records.parts(store, nuid));
  await streams.purge(stream, layout);
}
