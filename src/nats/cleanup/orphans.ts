/**
 * Orphans: subjects that nothing names. Finds them once names have struck out everything else, and purges them.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import type { SweepReport } from "../../store/maintenance.ts";
import type { BucketStream, StreamReading } from "../buckets/streams.ts";
import { JetStreamError } from "../jetstream/errors.ts";
import { type StoredMessage, textOf } from "../jetstream/messages.ts";
import { parseChunkMap } from "../layout/chunk_map.ts";
import { parseChunkSubject } from "../layout/chunk_subjects.ts";
import { parseRecordSubject } from "../layout/subjects.ts";
import type { UploadsContext } from "../uploads/context.ts";
import type { Candidates } from "./candidates.ts";
import { readUsedParts } from "./references.ts";
import { eachSubject, type ListingMode } from "./subject_listing.ts";

/** Subjects of orphans, and the number of messages of each. */
export type Orphans = ReadonlyMap<string, number>;

type OrphansContext = Pick<
  UploadsContext,
  "requests" | "streams" | "budget" | "log" | "reportUnreadable"
>;

/** Number of orphans that one sweep purges; the next one finds the others. */
const MAX_ORPHANS = 100_000;
/** Number of orphans that are looked at or purged at once. */
const AT_ONCE = 8;

/**
 * Lists the subjects once more and returns those that no name has struck out and that are old enough.
 *
 * @param options `newest` is the latest time of a group's last message, by nats-server's clock.
 */
export async function findOrphans(
  context: OrphansContext,
  stream: StreamReading,
  { candidates, mode, newest }: {
    readonly candidates: Candidates;
    readonly mode: ListingMode;
    readonly newest: number;
  },
): Promise<Orphans> {
  const orphans = new Map<string, number>();
  const doubtful = new Map<string, number>();
  if (!candidates.hasRest) return orphans;
  await eachSubject(context, stream, mode, (subject, count) => {
    const verdict = candidates.judge(subject);
    if (verdict === "kept") return;
    if (verdict === "foreign") {
      context.reportUnreadable(stream.bucket, "chunks", subject);
      return;
    }
    const found = verdict === "orphan" ? orphans : doubtful;
    const before = found.get(subject);
    if (before === undefined && found.size >= MAX_ORPHANS) return;
    found.set(subject, mode === "by message" ? (before ?? 0) + count : count);
  });
  for (const subject of await findUnused(context, stream, [...doubtful.keys()])) {
    orphans.set(subject, doubtful.get(subject) ?? 0);
  }
  await mapAtOnce([...orphans.keys()], AT_ONCE, async (subject) => {
    if (!isOld(await readLast(context, stream, subject), newest)) orphans.delete(subject);
  });
  return orphans;
}

/** Returns those of some chunks of parts that the chunk map of their object does not name. */
async function findUnused(
  context: OrphansContext,
  stream: BucketStream,
  subjects: readonly string[],
): Promise<readonly string[]> {
  const unused: string[] = [];
  const ofNuid = Map.groupBy(subjects, (subject) => {
    const chunks = parseChunkSubject(stream.store, subject);
    return chunks?.kind === "part" ? chunks.nuid : undefined;
  });
  for (const [nuid, attempts] of ofNuid) {
    if (nuid === undefined) continue;
    const used = await readUsedParts(context, stream, nuid);
    if (used !== undefined) unused.push(...attempts.filter((subject) => !used.has(subject)));
  }
  return unused;
}

/** Purges orphans, unless they have grown since they were found. One that cannot be purged does not keep the others. */
export async function purgeOrphans(
  context: OrphansContext,
  stream: BucketStream,
  orphans: Orphans,
  { newest, dryRun }: { readonly newest: number; readonly dryRun: boolean },
): Promise<Pick<SweepReport, "orphans" | "records" | "entries">> {
  const report = { orphans: 0, records: 0, entries: 0 };
  await mapAtOnce([...orphans], AT_ONCE, async ([subject, count]) => {
    const last = await readLast(context, stream, subject);
    if (!isOld(last, newest)) return;
    const isRecord = parseRecordSubject(stream.store, subject) !== undefined;
    if (isRecord && !isReadable(stream, last)) {
      context.reportUnreadable(stream.bucket, "layout", subject);
      return;
    }
    if (!dryRun && !await purge(context, stream, subject)) return;
    if (isRecord) report.records++;
    else report.orphans++;
    report.entries += count;
  });
  return report;
}

function readLast(
  { requests }: OrphansContext,
  { stream }: BucketStream,
  subject: string,
): Promise<StoredMessage | undefined> {
  return requests.leaderGet(stream, { last_by_subj: subject });
}

function isOld(last: StoredMessage | undefined, newest: number): last is StoredMessage {
  return last !== undefined && last.time.getTime() <= newest;
}

/** Tells whether this gateway can read a record. Another version may need a chunk map that it cannot read. */
function isReadable({ store }: BucketStream, { subject, data }: StoredMessage): boolean {
  return parseRecordSubject(store, subject)?.kind !== "layout" ||
    parseChunkMap(textOf(data)) !== undefined;
}

async function purge(
  { streams, log }: OrphansContext,
  { bucket, stream }: BucketStream,
  subject: string,
): Promise<boolean> {
  try {
    await streams.purge(stream, subject);
    return true;
  } catch (cause) {
    if (!(cause instanceof JetStreamError)) throw cause;
    log.warn("an orphan was not purged", { bucket, subject, cause });
    return false;
  }
}
