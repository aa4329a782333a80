/**
 * Chunk groups that nobody names any more.
 *
 * A replaced group may still be read, so it is recorded as trash and purged after a grace, unless a reader's lease holds
 * it. A group that was never committed has no reader and is purged at once; so is one of few chunks, whose readers have
 * all of it or nothing. An upload that was completed is in the trash as well: of an object that is still there go the
 * records of its parts, and the parts that it does not use.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { TrashReport } from "../../store/store.ts";
import type { Context } from "../buckets/context.ts";
import { readAll } from "../buckets/feed.ts";
import { type Current, deleteMessage, readCurrent } from "./commit.ts";
import {
  chunkSubject,
  keyOfSubject,
  type Nuid,
  parseNuid,
  partChunkSubject,
  records,
  type StoreName,
  subjectsOf,
} from "../layout/subjects.ts";
import { AT_ONCE } from "./bytes.ts";
import { nuidOfInfo } from "../layout/object_info.ts";
import { parseLayout } from "../layout/chunk_map.ts";
import { isNuidOf } from "../layout/nuid.ts";
import { type StoredMessage, textOf } from "../jetstream/messages.ts";
import { readBatches } from "../buckets/scan.ts";
import type { BucketStream } from "../buckets/streams.ts";

type Trash = {
  readonly nuid: Nuid;
  readonly key: ObjectKey;
  readonly sequence: number;
};

/** Groups purged at once. */
const CONCURRENCY = 8;

/**
 * Frees what object info named that is replaced now. Few chunks go at once: a reader has them before it answers, or finds
 * them gone and reads the object anew. More of them are trash.
 */
export async function freeReplaced(
  context: Context,
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
  { requests, log, trashed }: Context,
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
  context: Context,
  stream: BucketStream,
  nuid: Nuid,
): Promise<void> {
  await discardParts(context, stream, chunkSubject(stream.store, nuid));
}

/** Purges what a subject of parts or chunks holds that nobody names. What fails here the sweep finds. */
export async function discardParts(
  { streams, log }: Context,
  { bucket, stream }: BucketStream,
  subject: string,
): Promise<void> {
  try {
    await streams.purge(stream, subject);
  } catch (cause) {
    log.warn("what nobody names was not purged", { bucket, subject, cause });
  }
}

/** Purges what has been in a bucket's trash for the grace, and that no reader holds and no object names. */
export async function emptyTrash(context: Context, bucket: BucketName): Promise<TrashReport> {
  const stream = await context.streams.read(bucket);
  if (!stream.prepared) return { purged: 0, waiting: 0 };
  let leased: ReadonlySet<string> | undefined;
  let purged = 0;
  let waiting = 0;
  const doubtful: Trash[] = [];
  for await (const batch of readBatches(context, stream, records.trash(stream.store, "*"))) {
    // Both times are nats-server's: this machine's clock has no say.
    const due = batch.filter(({ time }) => time.getTime() + context.grace <= stream.at.getTime());
    waiting += batch.length - due.length;
    if (due.length === 0) continue;
    leased ??= await leasedGroups(context, stream);
    const certain: Trash[] = [];
    for (const message of due) {
      const item = parseTrash(message);
      if (item === undefined) continue;
      if (leased.has(item.nuid)) waiting++;
      else (isNuidOf(item.nuid, item.key) ? certain : doubtful).push(item);
    }
    purged += await purgeAll(context, stream, certain, new Set());
  }
  purged += await purgeAll(
    context,
    stream,
    doubtful,
    await namedElsewhere(context, stream, doubtful),
  );
  return { purged, waiting };
}

async function purgeAll(
  context: Context,
  stream: BucketStream,
  trash: readonly Trash[],
  named: ReadonlySet<string>,
): Promise<number> {
  const purged = await mapAtOnce(trash, CONCURRENCY, async (item) => {
    return await purgeTrash(context, stream, item, named);
  });
  return purged.filter(Boolean).length;
}

/** The nuids that long reads hold now. */
export async function leasedGroups(
  { streams }: Context,
  { store, stream }: BucketStream,
): Promise<ReadonlySet<string>> {
  const subjects = await streams.listSubjects(stream, records.lease(store, "*", "*"));
  return new Set(subjects.map((subject) => subject.split(".").at(-2) ?? ""));
}

/** Of trash that the nuid itself does not tie to its key: the nuids that some object names after all. */
async function namedElsewhere(
  context: Context,
  stream: BucketStream,
  trash: readonly Trash[],
): Promise<ReadonlySet<string>> {
  const doubtful = new Set<string>(trash.map(({ nuid }) => nuid));
  const named = new Set<string>();
  if (doubtful.size === 0) return named;
  await readAll(context, stream, subjectsOf(stream.store).infos, ({ subject, data }) => {
    const nuid = nuidOfInfo(data);
    if (nuid !== undefined && doubtful.has(nuid) && keyOfSubject(stream.store, subject)) {
      named.add(nuid);
    }
  });
  return named;
}

async function purgeTrash(
  context: Context,
  stream: BucketStream,
  { nuid, key, sequence }: Trash,
  named: ReadonlySet<string>,
): Promise<boolean> {
  const current = await readCurrent(context, stream, key);
  const isNamed = named.has(nuid) || current.nuid === nuid;
  let purged = !isNamed;
  if (isNamed) purged = await purgeUnusedParts(context, stream, nuid);
  else await purgeGroup(context, stream, nuid);
  // By sequence: a record that was written again meanwhile stays.
  await deleteMessage(context, stream, sequence);
  return purged;
}

/** Purges all chunks of a nuid, in one group or in parts, and what says where they are. */
export async function purgeGroup(
  { requests, streams }: Context,
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

/** Purges what a completed upload's layout does not name: attempts at parts, and the records of all parts. */
async function purgeUnusedParts(
  context: Context,
  stream: BucketStream,
  nuid: Nuid,
): Promise<boolean> {
  const used = await readUsedParts(context, stream, nuid);
  if (used === undefined) return false;
  const filter = partChunkSubject(stream.store, nuid, "*", "*");
  let purged = false;
  for (const subject of await context.streams.listSubjects(stream.stream, filter)) {
    if (used.has(subject)) continue;
    await context.streams.purge(stream.stream, subject);
    purged = true;
  }
  await context.streams.purge(stream.stream, records.parts(stream.store, nuid));
  return purged;
}

/** Subjects of the parts that a layout names; undefined where there is no layout of parts. */
export async function readUsedParts(
  { requests }: Context,
  { store, stream }: BucketStream,
  nuid: Nuid,
): Promise<ReadonlySet<string> | undefined> {
  const record = await requests.leaderGet(stream, { last_by_subj: records.layout(store, nuid) });
  const layout = record && parseLayout(textOf(record.data));
  if (layout?.kind !== "parts") return undefined;
  return new Set(
    layout.parts.map(({ number, attempt }) => partChunkSubject(store, nuid, number, attempt)),
  );
}

function parseTrash({ subject, data, sequence }: StoredMessage): Trash | undefined {
  const nuid = parseNuid(subject.slice(subject.lastIndexOf(".") + 1));
  try {
    const { key } = JSON.parse(textOf(data)) as { readonly key?: unknown };
    if (nuid === undefined || typeof key !== "string") return undefined;
    return { nuid, key: key as ObjectKey, sequence };
  } catch {
    return undefined;
  }
}
