/**
 * The sweep: finds what a crash left behind, of every kind, because it knows every name in a bucket.
 *
 * It lists chunks first and names after, so that what was committed in between has its name. It stops at a kind of
 * record that it does not know: an older gateway must not delete a newer one's data.
 * @module
 */

import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { SweepOptions, SweepReport } from "../../store/store.ts";
import type { UploadsContext } from "../uploads/context.ts";
import { readAll } from "../buckets/feed.ts";
import { readSnapshotId } from "../listing/key_snapshot.ts";
import {
  keyOfSubject,
  parseChunkSubject,
  parseRecordSubject,
  parseSubjectOf,
  records,
  subjectsOf,
} from "../layout/subjects.ts";
import type { StoreName } from "../layout/names.ts";
import { abortAbandoned } from "../uploads/abort.ts";
import { mayBeInParts, nuidOfInfo } from "../layout/object_info.ts";
import { textOf } from "../jetstream/messages.ts";
import { readMessages } from "../buckets/scan.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { emptyTrash, readUsedParts } from "./empty_trash.ts";
import { leasedGroups } from "../objects/trash.ts";

/** What names bytes in a bucket. */
type Names = {
  /** Nuids that object info names. */
  readonly objects: ReadonlySet<string>;
  readonly openUploads: ReadonlySet<string>;
  /** The saved index, where there is one. */
  readonly snapshot: string | undefined;
  /** Nuids whose trash is waiting, or which a reader holds. */
  readonly waiting: ReadonlySet<string>;
};

/**
 * Sweeps one bucket.
 *
 * @param inParts Told of each object that native clients cannot read, because it is in parts.
 */
export async function sweepBucket(
  context: UploadsContext,
  bucket: BucketName,
  { minAge, uploadExpiry, dryRun }: SweepOptions,
  inParts: (key: ObjectKey) => void,
): Promise<SweepReport> {
  const { streams } = context;
  const stream = await streams.read(bucket);
  const trash = dryRun ? { purged: 0 } : await emptyTrash(context, bucket);
  const uploads = uploadExpiry === undefined
    ? 0
    : await abortAbandoned(context, stream, { age: uploadExpiry, dryRun });
  const counts = { trash: trash.purged, uploads, groups: 0, records: 0, messages: 0 };
  const report = { bucket, dryRun, ...counts };

  const subjects = subjectsOf(stream.store); // chunks first, names after
  const chunks = await streams.countBySubject(stream.stream, subjects.chunks);
  const recordCounts = stream.prepared
    ? await streams.countBySubject(stream.stream, subjects.records)
    : new Map<string, number>();
  for (const subject of recordCounts.keys()) {
    if (parseRecordSubject(stream.store, subject) !== undefined) continue;
    return { ...report, stopped: `"${subject}" is of a kind that this gateway does not know` };
  }
  const names = await readNames(context, stream, inParts);

  const orphans: { readonly subject: string; readonly isRecord: boolean }[] = [];
  const usedParts = new Map<string, Promise<ReadonlySet<string> | undefined>>();
  for (const subject of chunks.keys()) {
    if (await isOrphanChunk(context, stream, subject, names, usedParts)) {
      orphans.push({ subject, isRecord: false });
    }
  }
  for (const subject of recordCounts.keys()) {
    if (isOrphanRecord(stream.store, subject, names)) orphans.push({ subject, isRecord: true });
  }
  for (const { subject, isRecord } of orphans) {
    const last = await context.requests.leaderGet(stream.stream, { last_by_subj: subject });
    if (last === undefined || stream.at.getTime() - last.time.getTime() < minAge) continue;
    if (!dryRun) await streams.purge(stream.stream, subject);
    if (isRecord) report.records++;
    else report.groups++;
    report.messages += (isRecord ? recordCounts : chunks).get(subject) ?? 0;
  }
  return report;
}

async function readNames(
  context: UploadsContext,
  stream: BucketStream,
  inParts: (key: ObjectKey) => void,
): Promise<Names> {
  const { store } = stream;
  const objects = new Set<string>();
  await readAll(context, stream, subjectsOf(store).infos, ({ subject, data }) => {
    const nuid = nuidOfInfo(data);
    if (nuid !== undefined) objects.add(nuid);
    const key = mayBeInParts(data) ? keyOfSubject(store, subject) : undefined;
    if (key !== undefined) inParts(key);
  });
  if (!stream.prepared) {
    return { objects, openUploads: new Set(), snapshot: undefined, waiting: new Set() };
  }

  const openUploads = new Set<string>();
  for (const { subject, data } of await readMessages(context, stream, records.upload(store, "*"))) {
    const { state } = JSON.parse(textOf(data)) as { readonly state?: unknown };
    if (state !== "done" && state !== "aborted") {
      openUploads.add(parseSubjectOf("upload", store, subject)?.id ?? "");
    }
  }
  const waiting = new Set(await leasedGroups(context, stream));
  for (
    const subject of await context.streams.listSubjects(stream.stream, records.trash(store, "*"))
  ) {
    waiting.add(parseSubjectOf("trash", store, subject)?.nuid ?? "");
  }
  return { objects, openUploads, snapshot: await readSnapshotId(context, stream), waiting };
}

async function isOrphanChunk(
  context: UploadsContext,
  stream: BucketStream,
  subject: string,
  { objects, openUploads, waiting }: Names,
  usedParts: Map<string, Promise<ReadonlySet<string> | undefined>>,
): Promise<boolean> {
  const chunks = parseChunkSubject(stream.store, subject);
  if (chunks === undefined) return false;
  const { nuid, part, attempt } = chunks;
  if (waiting.has(nuid) || openUploads.has(nuid)) return false;
  if (!objects.has(nuid)) return true;
  if (part === undefined || attempt === undefined) return false;
  // An attempt at a part of an object that is there: the layout says whether it is used.
  const used = usedParts.get(nuid) ?? readUsedParts(context, stream, nuid);
  usedParts.set(nuid, used);
  return (await used)?.has(subject) === false;
}

function isOrphanRecord(
  store: StoreName,
  subject: string,
  { objects, openUploads, snapshot, waiting }: Names,
): boolean {
  const record = parseRecordSubject(store, subject);
  switch (record?.kind) {
    case "snapshot":
      return record.page !== undefined && record.id !== snapshot;
    case "part":
      return !openUploads.has(record.id) && !waiting.has(record.id);
    case "layout":
      return ![objects, openUploads, waiting].some((names) => names.has(record.nuid));
    default:
      return false;
  }
}
