/**
 * Archives the current version of a key before another one takes its place: copies its object info into a record.
 *
 * Object info wins over the record of the same version, so an archive that turns out to be unnecessary is harmless, and a crash
 * after it leaves a record that nobody reads.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import { NULL_VERSION } from "../../s3/version_id.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { isConflict, Unanswered } from "../jetstream/errors.ts";
import { decodeText } from "../layout/json.ts";
import { records } from "../layout/subjects.ts";
import type { VersionFacts } from "../layout/version_facts.ts";
import { formatVersion, type VersionRecord } from "../layout/version_record.ts";
import type { ObjectsContext } from "./context.ts";
import { type Current, readCurrent } from "./current.ts";
import { isLocked } from "./lock_guard.ts";
import { trashGroup } from "./trash.ts";
import {
  type Noncurrent,
  noncurrentOf,
  preserveVersion,
  readVersionMessage,
} from "./version_records.ts";

/** Fields of a context that archiving needs. */
export type ArchiveNeeds = Pick<
  ObjectsContext,
  "requests" | "streams" | "log" | "trashed" | "unfinished" | "now"
>;

/** How often a record is published while no response comes. */
const ATTEMPTS = 3;

/**
 * Archives a version.
 *
 * @param held The version that `current` holds, with its ordinal.
 * @returns whether it is archived; false if it is not the current one any more
 * @throws Unanswered
 */
export async function archive(
  needs: ArchiveNeeds,
  stream: BucketStream,
  key: ObjectKey,
  current: Current,
  held: VersionFacts,
): Promise<boolean> {
  const subject = records.version(stream.store, key, held.id);
  const data = formatVersion(recordOf(current, held));
  for (let expect = 0, unanswered = 0;;) {
    try {
      await needs.requests.publish(subject, data, { expect, rollup: true });
      return true;
    } catch (cause) {
      if (cause instanceof Unanswered ? ++unanswered === ATTEMPTS : !isConflict(cause)) throw cause;
    }
    const found = await readVersionMessage(needs, stream, key, held.id);
    const now = await readCurrent(needs, stream, key);
    if (now.sequence !== current.sequence) return false;
    const older = noncurrentOf(stream, key, held.id, found);
    if (older?.record.from === current.sequence) return true;
    // Object info wins, so whatever else is there is obsolete.
    if (older !== undefined && older.info.nuid !== current.nuid) {
      if (isOther(older, current) && isLocked(older.info, needs.now())) {
        await preserveVersion(needs, stream, key, older);
      } else await trashGroup(needs, stream, key, older.info.nuid, "perhaps named");
    }
    expect = found.sequence;
  }
}

/** Returns the record of the version that object info holds. */
export function recordOf(
  { sequence, time, data }: Current,
  { ordinal }: VersionFacts,
): VersionRecord {
  return { from: sequence, time, ordinal, info: decodeText(data) };
}

/** Tells whether a record holds another version `null` than object info: a rewrite of the bytes keeps everything else. */
function isOther({ id, info: { parsed } }: Noncurrent, current: Current): boolean {
  if (id !== NULL_VERSION) return false;
  if (parsed.kind !== "object" || current.parsed.kind !== "object") return true;
  const [older, newer] = [parsed.object.info, current.parsed.object.info];
  return older.etag !== newer.etag || older.modified.getTime() !== newer.modified.getTime();
}
