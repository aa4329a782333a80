/**
 * Compares a saved index with its bucket's stream, at a few places that nobody can foresee.
 *
 * An index that some NATS client made up, or whose keys were purged by hand, differs at many of them. It cannot be told
 * apart if it differs at few; but who may write it may also write and delete objects.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import type { ObjectKey } from "../../s3/names.ts";
import { randomPlace } from "../../world/world.ts";
import type { BucketsContext } from "../buckets/context.ts";
import type { StreamReading } from "../buckets/streams.ts";
import type { StoredMessage } from "../jetstream/messages.ts";
import { parseListed } from "../layout/listed_info.ts";
import { isStray } from "../layout/stray_info.ts";
import {
  infoSubject,
  keyOfSubject,
  records,
  subjectsOf,
  versionOfSubject,
} from "../layout/subjects.ts";
import type { IndexContent } from "./key_snapshot.ts";
import { currentVersion, readRecord } from "./version_entry.ts";

type SampleContext = Pick<BucketsContext, "requests">;

/** Number of places in the index and in the stream, and of those that are compared at once. */
const PLACES = 16;
const AT_ONCE = 8;

/** Tells whether a saved index and the stream agree wherever they are compared. */
export async function agreesWithStream(
  context: SampleContext,
  stream: StreamReading,
  index: IndexContent,
): Promise<boolean> {
  const places = Array.from({ length: PLACES }, randomPlace);
  const agree = await mapAtOnce(places, AT_ONCE, async (place) => {
    // An index without versions is compared at one place.
    const hasVersions = index.versions.size > 0 || place === places[0];
    return await isStored(context, stream, index, place) &&
      await isIndexed(context, stream, index, place) &&
      (!hasVersions ||
        (await isVersionStored(context, stream, index, place) &&
          await isVersionIndexed(context, stream, index, place)));
  });
  return !agree.includes(false);
}

/** Tells whether the stream holds the object info of an entry, or a later one. */
async function isStored(
  { requests }: SampleContext,
  { store, stream, firstSequence, since }: StreamReading,
  { table }: IndexContent,
  place: number,
): Promise<boolean> {
  const entry = table.pick(place);
  // Messages that expire leave from the beginning, which is noticed elsewhere.
  if (entry === undefined || entry.sequence < firstSequence) return true;
  const last = await requests.leaderGet(stream, { last_by_subj: infoSubject(store, entry.key) });
  if (last?.sequence === entry.sequence) return isObject(since, entry.key, last);
  return last !== undefined && last.sequence > entry.sequence;
}

/** Tells whether the index has the key of a message in the stream. */
async function isIndexed(
  { requests }: SampleContext,
  { store, stream, since }: StreamReading,
  { table, versions, unlistable, sequence }: IndexContent,
  place: number,
): Promise<boolean> {
  const query = { seq: Math.floor(place * sequence) + 1, next_by_subj: subjectsOf(store).infos };
  const message = await requests.leaderGet(stream, query);
  if (message === undefined || message.sequence > sequence) return true;
  const key = keyOfSubject(store, message.subject);
  const exists = isObject(since, key, message);
  const isKnown = key === undefined
    ? unlistable.includes(message.subject) === exists
    : table.sequenceOf(key) === (exists ? message.sequence : undefined) &&
      versions.sequenceOfCurrent(key) ===
        (isVersion(since, key, message) ? message.sequence : undefined);
  if (isKnown) return true;
  // A later message of the subject may have replaced it.
  const last = await requests.leaderGet(stream, { last_by_subj: message.subject });
  return last?.sequence !== message.sequence;
}

/** Tells whether the stream holds the message of a version, or a later one. */
async function isVersionStored(
  { requests }: SampleContext,
  { store, stream, firstSequence }: StreamReading,
  { versions }: IndexContent,
  place: number,
): Promise<boolean> {
  const row = versions.pick(place);
  const sequence = row && versions.sequenceOf(row);
  if (row === undefined || sequence === undefined || sequence < firstSequence) return true;
  const subject = row.place === "current"
    ? infoSubject(store, row.key)
    : records.version(store, row.key, row.id);
  const last = await requests.leaderGet(stream, { last_by_subj: subject });
  return last !== undefined && last.sequence >= sequence;
}

/** Tells whether the index has the version of a record in the stream. */
async function isVersionIndexed(
  { requests }: SampleContext,
  { store, stream }: StreamReading,
  { versions, sequence }: IndexContent,
  place: number,
): Promise<boolean> {
  const seq = versions.size === 0 ? 1 : Math.floor(place * sequence) + 1;
  const message = await requests.leaderGet(stream, { seq, next_by_subj: records.versions(store) });
  if (message === undefined || message.sequence > sequence) return true;
  const version = versionOfSubject(store, message.subject);
  if (version === undefined) return true;
  const { record } = readRecord(version.id, message);
  const expected = record && message.sequence;
  if (versions.sequenceOfRecord(version.key, version.id) === expected) return true;
  const last = await requests.leaderGet(stream, { last_by_subj: message.subject });
  return last?.sequence !== message.sequence;
}

function isVersion(since: number, key: ObjectKey, message: StoredMessage): boolean {
  const info = parseListed(message.data, message.time);
  const { sequence } = message;
  return currentVersion(info, sequence) !== undefined &&
    !isStray(key, info.nuid, info.firstChunk, { since, sequence });
}

function isObject(
  since: number,
  key: ObjectKey | undefined,
  { data, time, sequence }: StoredMessage,
): boolean {
  const { listed, nuid, firstChunk } = parseListed(data, time);
  if (listed === undefined) return false;
  return key === undefined || !isStray(key, nuid, firstChunk, { since, sequence });
}
