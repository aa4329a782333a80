/**
 * Chunk groups that nobody names any more.
 *
 * A replaced group may still be read, so it is recorded as trash and purged after a grace, unless a reader's lease holds
 * it. A group that was never committed has no reader and is purged at once; so is one of few chunks, whose readers have
 * all of it or nothing.
 * @module
 */

import type { BucketName, ObjectKey } from "../s3/names.ts";
import type { TrashReport } from "../store/store.ts";
import type { Context } from "./context.ts";
import { readAll } from "./feed.ts";
import { type Current, deleteMessage, readCurrent } from "./commit.ts";
import {
  chunkSubject,
  keyOfSubject,
  type Nuid,
  parseNuid,
  partChunkSubject,
  records,
  subjectsOf,
} from "./layout.ts";
import { AT_ONCE } from "./object_bytes.ts";
import { nuidOfInfo } from "./object_info.ts";
import { parseLayout } from "./layout_record.ts";
import { isNuidOf } from "./nuid.ts";
import { type StoredMessage, textOf } from "./requests.ts";
import { readBatches } from "./subject_scan.ts";
import type { BucketStream } from "./streams.ts";

/** What of a nuid's chunks is trash. */
export type TrashKind =
  /** All of them. */
  | "group"
  /** Those of parts that the layout record does not name. */
  | "unused-parts";

type Trash = {
  readonly nuid: Nuid;
  readonly kind: TrashKind;
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
  kind: TrashKind = "group",
): Promise<void> {
  if (nuid === undefined || !prepared) return;
  try {
    const record = JSON.stringify({ kind, key });
    await requests.publish(records.trash(store, nuid), record, { rollup: true });
    trashed.add(bucket);
  } catch (cause) {
    log.warn("trash was not recorded", { bucket, nuid, cause });
  }
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
  let purged = 0;
  for (let i = 0; i < trash.length; i += CONCURRENCY) {
    const group = trash.slice(i, i + CONCURRENCY);
    await Promise.all(group.map(async (item) => {
      if (await purgeTrash(context, stream, item, named)) purged++;
    }));
  }
  return purged;
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
  { nuid, kind, key, sequence }: Trash,
  named: ReadonlySet<string>,
): Promise<boolean> {
  const current = await readCurrent(context, stream, key);
  const isNamed = named.has(nuid) || current.nuid === nuid;
  let purged = false;
  if (kind === "unused-parts") {
    purged = await purgeUnusedParts(context, stream, nuid);
  } else if (!isNamed) {
    await purgeGroup(context, stream, nuid);
    purged = true;
  }
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
  await streams.purge(stream, layout);
}

/** Purges the attempts at parts that a completed upload's layout does not name. */
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
    const { kind, key } = JSON.parse(textOf(data)) as { kind?: unknown; key?: unknown };
    if (nuid === undefined || typeof key !== "string") return undefined;
    if (kind !== "group" && kind !== "unused-parts") return undefined;
    return { nuid, kind, key: key as ObjectKey, sequence };
  } catch {
    return undefined;
  }
}
