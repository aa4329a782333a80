/**
 * Chunk groups that nobody names any more.
 *
 * A replaced group may still be read, so it is recorded as trash and purged after a grace, unless a reader's lease holds
 * it. A group that was never committed has no reader and is purged at once; so is one of few chunks, whose readers have
 * all of it or nothing. An upload that was completed is in the trash as well: of an object that is still there go the
 * records of its parts, and the parts that it does not use.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import type { ObjectsContext } from "./context.ts";
import type { Current } from "./commit.ts";
import { chunkSubject, parseSubjectOf, partChunkSubject, records } from "../layout/subjects.ts";
import { isNuidOf, type Nuid } from "../layout/nuid.ts";
import type { StoreName } from "../layout/names.ts";
import { AT_ONCE } from "./bytes.ts";
import type { BucketStream } from "../buckets/streams.ts";

/**
 * Frees what object info named that is replaced now. Few chunks go at once: a reader has them before it answers, or finds
 * them gone and reads the object anew. More of them are trash.
 */
export async function freeReplaced(
  context: Pick<ObjectsContext, "requests" | "streams" | "log" | "trashed">,
  stream: BucketStream,
  key: ObjectKey,
  { parsed, nuid }: Current,
): Promise<void> {
  if (parsed.kind === "absent" && parsed.isBare) return;
  const bytes = parsed.kind === "object" ? parsed.object.bytes : undefined;
  if (bytes?.kind === "group" && bytes.chunks === 0) return;
  // Without a seek table in the object info, readers walk through the group chunk by chunk.
  const isReadAtOnce = bytes?.kind === "group" && bytes.chunks <= AT_ONCE &&
    bytes.seek !== undefined && isNuidOf(bytes.nuid, key);
  if (isReadAtOnce) await discardGroup(context, stream, bytes.nuid);
  else await trashGroup(context, stream, key, nuid);
}

/** Records that a group may be purged after the grace. What fails here the sweep finds. */
export async function trashGroup(
  { requests, log, trashed }: Pick<ObjectsContext, "requests" | "log" | "trashed">,
  { bucket, store, prepared }: BucketStream,
  key: ObjectKey,
  nuid: Nuid | undefined,
): Promise<void> {
  if (nuid === undefined || !prepared) return;
  try {
    const { subject, data, ...options } = trashMessage(store, key, nuid);
    await requests.publish(subject, data, options);
    trashed.add(bucket);
  } catch (cause) {
    log.warn("trash was not recorded", { bucket, nuid, cause });
  }
}

/** The record of {@linkcode trashGroup}, to be published with what makes it trash. */
export function trashMessage(
  store: StoreName,
  key: ObjectKey,
  nuid: Nuid,
): { readonly subject: string; readonly data: string; readonly rollup: true } {
  return { subject: records.trash(store, nuid), data: JSON.stringify({ key }), rollup: true };
}

/** Purges a group that nobody reads. What fails here the sweep finds. */
export async function discardGroup(
  context: Pick<ObjectsContext, "streams" | "log">,
  stream: BucketStream,
  nuid: Nuid,
): Promise<void> {
  await discardParts(context, stream, chunkSubject(stream.store, nuid));
}

/** Purges what a subject of parts or chunks holds that nobody names. What fails here the sweep finds. */
export async function discardParts(
  { streams, log }: Pick<ObjectsContext, "streams" | "log">,
  { bucket, stream }: BucketStream,
  subject: string,
): Promise<void> {
  try {
    await streams.purge(stream, subject);
  } catch (cause) {
    log.warn("what nobody names was not purged", { bucket, subject, cause });
  }
}

/** The nuids that long reads hold now. */
export async function leasedGroups(
  { streams }: Pick<ObjectsContext, "streams">,
  { store, stream }: BucketStream,
): Promise<ReadonlySet<string>> {
  const subjects = await streams.listSubjects(stream, records.lease(store, "*", "*"));
  return new Set(subjects.map((subject) => parseSubjectOf("lease", store, subject)?.nuid ?? ""));
}

/** Purges all chunks of a nuid, in one group or in parts, and what says where they are. */
export async function purgeGroup(
  { requests, streams }: Pick<ObjectsContext, "requests" | "streams">,
  { store, stream }: BucketStream,
  nuid: Nuid,
): Promise<void> {
  await streams.purge(stream, chunkSubject(store, nuid));
  const layout = records.layout(store, nuid);
  if (await requests.leaderGet(stream, { last_by_subj: layout }) === undefined) return;
  await streams.purge(stream, partChunkSubject(store, nuid, "*", "*"));
  await streams.purge(stream, records.parts(store, nuid));
  await streams.purge(stream, layout);
}
