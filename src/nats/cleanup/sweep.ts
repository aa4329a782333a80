/**
 * The sweep frees data that crashes left in a bucket: it lists every subject and purges those that nothing names.
 *
 * It lists chunks before it reads names, so that it finds the names of everything committed in between. It keeps a hash of
 * each id in memory and lists the subjects once more only if a name is missing. Each step ends while others write.
 * @module
 */

import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { SweepOptions, SweepReport } from "../../store/maintenance.ts";
import { randomBytes } from "../../world/world.ts";
import type { StreamReading } from "../buckets/streams.ts";
import type { Delivery } from "../jetstream/messages.ts";
import { keyOfSubject, parseRecordSubject, subjectsOf } from "../layout/subjects.ts";
import { abortAbandoned } from "../uploads/abort.ts";
import type { UploadsContext } from "../uploads/context.ts";
import { Candidates, type Share } from "./candidates.ts";
import { emptyTrash } from "./empty_trash.ts";
import { hashOf } from "./id_set.ts";
import { nameIn } from "./identity.ts";
import { KnownNames, type NameMemory } from "./known_names.ts";
import { findOrphans, type Orphans, purgeOrphans } from "./orphans.ts";
import { readAllInfos, readInfos } from "./read_infos.ts";
import { readHolders } from "./references.ts";
import { Shadowed } from "./shadowed.ts";
import { Strays } from "./strays.ts";
import { chooseListing, eachSubject, isLarge, type ListingMode } from "./subject_listing.ts";
import { Superseded } from "./superseded.ts";

/** Fields of a context that a sweep needs. */
export type SweepContext = Pick<
  UploadsContext,
  | "requests"
  | "streams"
  | "budget"
  | "log"
  | "now"
  | "grace"
  | "reportUnreadable"
  | "trashed"
  | "unfinished"
>;

/** How often object info is read while its history changes. */
const ATTEMPTS = 3;
/** Number of subjects of which one sweep judges all. Of a larger bucket each sweep judges a share. */
const SHARE = 4_000_000;

/**
 * Sweeps one bucket.
 *
 * @param memory The names that earlier sweeps have read.
 * @param inParts Called with each object that native clients cannot read because it is in parts.
 */
export async function sweepBucket(
  context: SweepContext,
  bucket: BucketName,
  options: SweepOptions,
  memory: NameMemory,
  inParts: (key: ObjectKey) => void,
): Promise<SweepReport> {
  const { minAge, uploadExpiry, dryRun } = options;
  const stream = await context.streams.read(bucket);
  const replaced = dryRun ? 0 : await freeReplaced(context, bucket);
  const uploads = uploadExpiry === undefined
    ? 0
    : await abortAbandoned(context, stream, { age: uploadExpiry, dryRun });
  const report = { bucket, dryRun, replaced, uploads, orphans: 0, records: 0, entries: 0 };
  if (stream.readOnly) return report; // a mirror frees nothing that the bucket still has

  const mode = chooseListing(stream);
  const newest = stream.at.getTime() - minAge;
  const candidates = new Candidates(stream.store, shareOf(stream));
  let unknown: string | undefined;
  await eachSubject(context, stream, mode, (subject, _, time) => {
    if (isUnknownRecord(stream, subject)) unknown ??= subject;
    else if (time === undefined || time <= newest) {
      const unreadable = candidates.add(subject);
      if (unreadable !== undefined) context.reportUnreadable(bucket, unreadable, subject);
    }
  });
  if (unknown !== undefined) {
    return { ...report, stopped: `"${unknown}" is of a kind that this gateway does not know` };
  }
  const strays = new Strays();
  const shadowed = new Shadowed();
  const superseded = new Superseded(newest);
  const judging = { candidates, strays, shadowed, superseded, mode, newest, memory, inParts };
  const judged = await judge(context, stream, judging);
  if (judged === undefined) {
    return { ...report, stopped: "object info changed faster than the sweep could read it" };
  }
  const found = await strays.remove(context, stream, { newest, dryRun }) +
    await shadowed.remove(context, stream, { dryRun }) +
    await superseded.remove(context, stream, { dryRun });
  const purged = await purgeOrphans(context, stream, judged, { newest, dryRun });
  return { ...report, ...purged, records: purged.records + found };
}

/** Empties the trash. What goes wrong there does not stop the sweep. */
async function freeReplaced(context: SweepContext, bucket: BucketName): Promise<number> {
  try {
    return (await emptyTrash(context, bucket)).freed;
  } catch (cause) {
    context.log.warn("trash was not emptied before the sweep", { bucket, cause });
    return 0;
  }
}

function isUnknownRecord({ store }: StreamReading, subject: string): boolean {
  return subject.startsWith(subjectsOf(store).records.slice(0, -1)) &&
    parseRecordSubject(store, subject) === undefined;
}

/** Returns the share of the ids that this sweep judges. */
function shareOf({ subjects }: StreamReading): Share {
  const count = Math.min(255, Math.ceil(subjects / SHARE) || 1);
  const [random = 0] = randomBytes(1);
  return { index: random % count, count };
}

type Judging = {
  readonly candidates: Candidates;
  readonly strays: Strays;
  readonly shadowed: Shadowed;
  readonly superseded: Superseded;
  readonly mode: ListingMode;
  /** Messages after this time are too young, by nats-server's clock. */
  readonly newest: number;
  readonly memory: NameMemory;
  readonly inParts: (key: ObjectKey) => void;
};

/** Strikes out what is named, and finds the subjects that are left. Returns undefined if names could not be read to their end. */
async function judge(
  context: SweepContext,
  stream: StreamReading,
  judging: Judging,
): Promise<Orphans | undefined> {
  const { memory, inParts } = judging;
  const remembers = judging.mode === "by subject" && isLarge(stream);
  const known = remembers ? memory.take(stream) : undefined;
  if (known === undefined || !await readChanges(context, stream, known, judging.strays)) {
    return await judgeByAll(context, stream, judging, remembers);
  }
  const { candidates } = judging;
  memory.keep(stream.bucket, known);
  known.strike(candidates);
  for (const key of known.inParts) inParts(key);
  await readHolders(context, stream, (id) => candidates.held(id));
  const found = await findOrphans(context, stream, judging);
  if (found.size === 0) return found;
  const suspects = new Candidates(stream.store, { index: 0, count: 1 });
  for (const subject of found.keys()) suspects.add(subject);
  const again = { ...judging, candidates: suspects, inParts: () => {} };
  return await judgeByAll(context, stream, again, remembers);
}

/** Reads the object info that was written since the last sweep. Returns false if there is no telling what that is. */
async function readChanges(
  context: SweepContext,
  stream: StreamReading,
  known: KnownNames,
  strays: Strays,
): Promise<boolean> {
  const note = (delivery: Delivery): void => {
    strays.note(stream, delivery, known.note(stream, delivery)?.firstChunk);
  };
  const end = await readInfos(context, stream, note, known.end);
  if (typeof end === "string") return false;
  known.end = end;
  return true;
}

async function judgeByAll(
  context: SweepContext,
  stream: StreamReading,
  judging: Judging,
  remembers: boolean,
): Promise<Orphans | undefined> {
  const { candidates, memory, strays, shadowed, superseded, inParts } = judging;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const names = remembers ? new KnownNames(stream) : undefined;
    const end = await readAllInfos(context, stream, (delivery) => {
      names?.note(stream, delivery);
      const found = nameIn(delivery.data);
      strays.note(stream, delivery, found?.firstChunk);
      shadowed.note(stream, delivery);
      superseded.note(delivery);
      if (found === undefined) return;
      candidates.named(hashOf(found.name), found.parts);
      if (!found.isInParts) return;
      const key = keyOfSubject(stream.store, delivery.subject);
      if (key !== undefined) inParts(key);
    });
    // Object info that goes without a message, as when it is renamed natively, looks like another history.
    if (end === "restored") continue;
    if (end === "late") break;
    if (names !== undefined) {
      names.end = end;
      memory.keep(stream.bucket, names);
    }
    await readHolders(context, stream, (id) => candidates.held(id));
    return await findOrphans(context, stream, judging);
  }
  return undefined;
}
