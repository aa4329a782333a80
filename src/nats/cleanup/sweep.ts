/**
 * The sweep frees data that crashes left in a bucket: it lists every subject and purges those that nothing names.
 *
 * It lists chunks before it reads names, so that it finds the names of everything committed in between.
 * @module
 */

import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { SweepOptions, SweepReport } from "../../store/maintenance.ts";
import type { Delivery } from "../jetstream/messages.ts";
import { mayBeInParts } from "../layout/object_info.ts";
import { keyOfSubject, parseRecordSubject, subjectsOf } from "../layout/subjects.ts";
import { abortAbandoned } from "../uploads/abort.ts";
import type { UploadsContext } from "../uploads/context.ts";
import { emptyTrash } from "./empty_trash.ts";
import { readReferences } from "./references.ts";

/** Fields of a context that a sweep needs. */
export type SweepContext = Pick<
  UploadsContext,
  "requests" | "streams" | "budget" | "log" | "now" | "grace" | "reportUnreadable"
>;

/**
 * Sweeps one bucket.
 *
 * @param inParts Called with each object that native clients cannot read because it is in parts.
 */
export async function sweepBucket(
  context: SweepContext,
  bucket: BucketName,
  { minAge, uploadExpiry, dryRun }: SweepOptions,
  inParts: (key: ObjectKey) => void,
): Promise<SweepReport> {
  const { streams } = context;
  const stream = await streams.read(bucket);
  const { store } = stream;
  const replaced = dryRun ? { freed: 0 } : await emptyTrash(context, bucket);
  const uploads = uploadExpiry === undefined
    ? 0
    : await abortAbandoned(context, stream, { age: uploadExpiry, dryRun });
  const counts = { replaced: replaced.freed, uploads, orphans: 0, records: 0, entries: 0 };
  const report = { bucket, dryRun, ...counts };
  if (stream.readOnly) return report; // a mirror frees nothing that the bucket still has

  const subjects = subjectsOf(store); // chunks first, names after
  const chunks = await streams.countBySubject(stream.stream, subjects.chunks);
  const recordCounts = stream.prepared
    ? await streams.countBySubject(stream.stream, subjects.records)
    : new Map<string, number>();
  for (const subject of recordCounts.keys()) {
    if (parseRecordSubject(store, subject) !== undefined) continue;
    return { ...report, stopped: `"${subject}" is of a kind that this gateway does not know` };
  }
  const references = await readReferences(context, stream, ({ subject, data }: Delivery) => {
    const key = mayBeInParts(data) ? keyOfSubject(store, subject) : undefined;
    if (key !== undefined) inParts(key);
  });

  const orphans: { readonly subject: string; readonly isRecord: boolean }[] = [];
  for (const subject of chunks.keys()) {
    if (await references.isOrphanChunk(subject)) orphans.push({ subject, isRecord: false });
  }
  for (const subject of recordCounts.keys()) {
    if (references.isOrphanRecord(subject)) orphans.push({ subject, isRecord: true });
  }
  for (const { subject, isRecord } of orphans) {
    const last = await context.requests.leaderGet(stream.stream, { last_by_subj: subject });
    if (last === undefined || stream.at.getTime() - last.time.getTime() < minAge) continue;
    if (!dryRun) await streams.purge(stream.stream, subject);
    if (isRecord) report.records++;
    else report.orphans++;
    report.entries += (isRecord ? recordCounts : chunks).get(subject) ?? 0;
  }
  return report;
}
