/**
 * Empties the trash: purges chunk groups that were replaced longer ago than the grace, except those that a reader's lease
 * holds or that object info names.
 *
 * A group that was certainly replaced, whose nuid is tied to the key of its record and that was never renamed is judged by
 * that key alone. A native client may have named any other group under another key, so unless its own key names it, all
 * object info is read.
 *
 * A completed upload is also in the trash. If its object is still current, only the records of its parts and the parts
 * that it does not use are purged. If the object was replaced within the grace, the group waits for another grace, because
 * its record is older than its replacement.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { FreeReport } from "../../store/maintenance.ts";
import { hasRenamedGroups, isRenamed } from "../buckets/renamed_groups.ts";
import { readBatches } from "../buckets/scan.ts";
import type { BucketStream, StreamReading } from "../buckets/streams.ts";
import { isConflict, isFull, JetStreamError } from "../jetstream/errors.ts";
import { textOf } from "../jetstream/messages.ts";
import { groupNamedBy } from "../layout/info_json.ts";
import { isNuidOf, type Nuid } from "../layout/nuid.ts";
import { partChunkSubject } from "../layout/chunk_subjects.ts";
import { records, VERSIONS_LAYOUT } from "../layout/subjects.ts";
import { infoInRecord } from "../layout/version_record.ts";
import { parseTrash, type TrashRecord } from "../layout/trash_record.ts";
import type { ObjectsContext } from "../objects/context.ts";
import { readCurrent } from "../objects/current.ts";
import { purgeGroup, trashMessage } from "../objects/trash.ts";
import { findNamed, readLeased, readUsedParts } from "./references.ts";

/** Fields of a context that emptying the trash needs. */
export type TrashContext = Pick<
  ObjectsContext,
  "requests" | "streams" | "budget" | "grace" | "reportUnreadable"
>;

type Trash = TrashRecord & { readonly sequence: number };

/** What became of a group in the trash; "unknown" if another key may name it. */
type Fate = "purged" | "kept" | "waits" | "unknown";

/** The result of emptying the trash so far. */
type Tally = { freed: number; waiting: number; readonly failures: JetStreamError[] };

/** Most records of one key that are read for one group; if there are more, all names are read for all groups at once. */
const MAX_RECORDS = 1000;
/** Number of groups purged at once. */
const PURGES_AT_ONCE = 8;
/** Number of groups whose names are looked for in all object info; the others wait for the next time. */
const MAX_DOUBTFUL = 100_000;

/**
 * Purges groups that have been in a bucket's trash for the grace if no reader holds them and no object names them. A group
 * that cannot be purged does not keep the others.
 *
 * @throws the first reason why a group was not purged, after all others were looked at
 */
export async function emptyTrash(context: TrashContext, bucket: BucketName): Promise<FreeReport> {
  const read = await context.streams.read(bucket);
  if (!read.prepared) return { freed: 0, waiting: 0 };
  const stream = { ...read, hasRenamed: await hasRenamedGroups(context.requests, read.store) };
  let leased: ReadonlySet<string> | undefined;
  const tally: Tally = { freed: 0, waiting: 0, failures: [] };
  const doubtful: Trash[] = [];
  for await (const batch of readBatches(context, stream, records.trash(stream.store, "*"))) {
    // Both times come from nats-server, so this machine's clock does not matter.
    const due = batch.filter(({ time }) => time.getTime() + context.grace <= stream.at.getTime());
    tally.waiting += batch.length - due.length;
    if (due.length === 0) continue;
    leased ??= await readLeased(context, stream);
    const items: Trash[] = [];
    for (const message of due) {
      const { subject, data, sequence } = message;
      const record = parseTrash(stream.store, subject, textOf(data));
      if (record === undefined) {
        context.reportUnreadable(bucket, "trash", subject);
        continue;
      }
      const item = { ...record, sequence };
      if (leased.has(item.nuid)) tally.waiting++;
      else items.push(item);
    }
    await purgeAll(context, stream, items, undefined, tally, doubtful);
  }
  const named = await findNamed(context, stream, new Set(doubtful.map(({ nuid }) => nuid)));
  await purgeAll(context, stream, doubtful, named, tally, []);
  if (tally.failures.length > 0) throw tally.failures[0];
  return { freed: tally.freed, waiting: tally.waiting };
}

/**
 * Purges groups.
 *
 * @param named Those that object info of any key names; undefined if that is unknown.
 * @param doubtful Receives the groups that cannot be judged without `named`.
 */
async function purgeAll(
  context: TrashContext,
  stream: StreamReading,
  trash: readonly Trash[],
  named: ReadonlySet<string> | undefined,
  tally: Tally,
  doubtful: Trash[],
): Promise<void> {
  const currents = new Map<Trash, Awaited<ReturnType<typeof readCurrent>>>();
  await mapAtOnce(trash, PURGES_AT_ONCE, async (item) => {
    try {
      currents.set(item, await readCurrent(context, stream, item.key));
    } catch (cause) {
      if (!(cause instanceof JetStreamError)) throw cause;
      tally.failures.push(cause);
    }
  });
  // A version moves from object info to its record, so the records of a key are read afterwards: once for all its groups.
  const read = new Map<ObjectKey, ReturnType<typeof readNamedByRecords>>();
  const namesOf = (key: ObjectKey): ReturnType<typeof readNamedByRecords> => {
    const known = read.get(key) ?? readNamedByRecords(context, stream, key);
    read.set(key, known);
    return known;
  };
  await mapAtOnce(trash, PURGES_AT_ONCE, async (item) => {
    const current = currents.get(item);
    if (current === undefined) return;
    try {
      const fate = await purgeTrash(context, stream, item, current, named, namesOf);
      if (fate === "purged") tally.freed++;
      else if (fate === "unknown" && doubtful.length < MAX_DOUBTFUL) doubtful.push(item);
      else if (fate !== "kept") tally.waiting++;
    } catch (cause) {
      // Only a refusal concerns this group alone: without a response the others would wait for one as well.
      if (!(cause instanceof JetStreamError)) throw cause;
      tally.failures.push(cause);
    }
  });
}

async function purgeTrash(
  context: TrashContext,
  stream: StreamReading,
  item: Trash,
  { nuid: current, time }: Awaited<ReturnType<typeof readCurrent>>,
  named: ReadonlySet<string> | undefined,
  namesOf: (key: ObjectKey) => ReturnType<typeof readNamedByRecords>,
): Promise<Fate> {
  const { nuid, key, sequence, isReplaced } = item;
  let fate: Fate = "purged";
  const names = current === nuid ? undefined : named ?? await namesOf(key);
  if (current !== nuid && names === undefined) return "unknown";
  const isNamed = current === nuid || names?.has(nuid) === true;
  if (isNamed) {
    if (!await purgeUnusedParts(context, stream, nuid)) fate = "kept";
  } else if (named === undefined && !await isOwnedBy(context, stream, item)) {
    return "unknown";
  } else if (!isReplaced && time.getTime() + context.grace > stream.at.getTime()) {
    await restartGrace(context, stream, item);
    return "waits";
  } else if (!await isLastOfSubject(context, stream, item)) {
    return "waits"; // it was replaced again
  } else await purgeGroup(context, stream, nuid);
  // By sequence: a record that was written again in the meantime stays.
  await context.streams.deleteMessage(stream.stream, sequence);
  return fate;
}

/**
 * Reads the groups that the records of a key's versions name; undefined if there are too many records for one key. The version
 * in the trash record proves nothing, because any NATS client that may write to the bucket can forge such a record.
 */
async function readNamedByRecords(
  context: TrashContext,
  stream: StreamReading,
  key: ObjectKey,
): Promise<ReadonlySet<string> | undefined> {
  const named = new Set<string>();
  if (stream.layout < VERSIONS_LAYOUT) return named;
  let count = 0;
  for await (const batch of readBatches(context, stream, records.version(stream.store, key, "*"))) {
    for (const { data } of batch) {
      const nuid = groupNamedBy(infoInRecord(data));
      if (nuid !== undefined) named.add(nuid);
    }
    count += batch.length;
    if (count > MAX_RECORDS) return undefined;
  }
  return named;
}

/** Tells whether a group was replaced for certain at the only key that could name it. */
async function isOwnedBy(
  { requests }: TrashContext,
  { store, hasRenamed }: BucketStream,
  { nuid, key, isReplaced }: Trash,
): Promise<boolean> {
  return isReplaced && isNuidOf(nuid, key) &&
    !(hasRenamed && await isRenamed(requests, store, nuid));
}

/** Records a group anew, now that it is replaced. A full bucket keeps the old record until the replacement is old enough. */
async function restartGrace(
  { requests }: TrashContext,
  { store }: BucketStream,
  { nuid, key, sequence: expect }: Trash,
): Promise<void> {
  const { subject, data, ...options } = trashMessage(store, key, nuid, "replaced");
  try {
    await requests.publish(subject, data, { ...options, expect });
  } catch (cause) {
    if (!isConflict(cause) && !isFull(cause)) throw cause;
  }
}

/** Tells whether no newer record of a group has taken the place of the one that was read. */
async function isLastOfSubject(
  { requests }: TrashContext,
  { store, stream }: BucketStream,
  { nuid, sequence }: Trash,
): Promise<boolean> {
  const last = await requests.leaderGet(stream, { last_by_subj: records.trash(store, nuid) });
  return last?.sequence === sequence;
}

/** Purges a completed upload's attempts at parts that its chunk map does not name, and the records of all parts. */
async function purgeUnusedParts(
  context: TrashContext,
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
