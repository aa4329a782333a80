/**
 * Finds the version of a key that was current at a time.
 *
 * The current version tells nearly always. Otherwise the ids of the key's records are listed, and a binary search over them
 * reads a few: times never run backwards along the versions of a key.
 * @module
 */

import {
  type AsOf,
  AsOfSearch,
  checkPast,
  keepsNoVersions,
  type TimedVersion,
  UNKNOWN_AS_OF,
} from "../../s3/as_of.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import { NULL_VERSION, ordinalOf, type VersionId } from "../../s3/version_id.ts";
import type { BucketStream } from "../buckets/streams.ts";
import type { ReadInfo } from "../layout/object_info.ts";
import { VERSIONS_LAYOUT } from "../layout/subjects.ts";
import type { ObjectsContext } from "./context.ts";
import { readCurrent } from "./current.ts";
import {
  heldVersion,
  listVersionIds,
  noncurrentOf,
  readVersionMessage,
} from "./version_records.ts";

type Needs = Pick<ObjectsContext, "requests" | "streams" | "now">;

/** Finds the version, as {@linkcode Objects.versionAsOf} says. */
export async function versionAsOf(
  needs: Needs,
  bucket: BucketName,
  key: ObjectKey,
  time: Date,
): Promise<AsOf> {
  const stream = await needs.streams.get(bucket);
  if (stream.layout < VERSIONS_LAYOUT) throw keepsNoVersions(bucket);
  checkPast(time, needs.now());
  // Later writes are younger than the time, so no write between these reads matters.
  const current = await readCurrent(needs, stream, key);
  const held = heldVersion(current);
  const latest = held && timedOf(held.id, current);
  if (held !== undefined && latest === undefined) return UNKNOWN_AS_OF;
  const search = new AsOfSearch(time);
  if (latest !== undefined) search.add(latest);
  if (search.isFound) return search.result;

  const records = await readRecords(needs, stream, key, held?.id);
  if (records === undefined) return UNKNOWN_AS_OF;
  const { younger, found } = await searchRecords(records, time);
  const { ids, nullVersion } = records;
  // Every version of the key was removed.
  const isBare = latest === undefined && younger === undefined && found === undefined;
  if (isBare && ids.length > 0) return UNKNOWN_AS_OF;
  if (nullVersion !== undefined && nullVersion.modified > time) search.add(nullVersion);
  if (younger !== undefined) search.add(younger);
  if (found !== undefined) search.add(found);
  return search.result;
}

/** The records of a key. */
type Records = {
  /** The latest first. Some may be of versions that were removed. */
  readonly ids: readonly VersionId[];
  readonly nullVersion: TimedVersion | undefined;
  /** Reads the version of a record; undefined for one that was removed, and one that cannot be read. */
  readonly read: (id: VersionId) => Promise<TimedVersion | undefined>;
};

/**
 * Lists the records of a key.
 *
 * @param current The current version, whose record is an older copy.
 * @returns undefined if the version `null`, whose place its record tells, cannot be read
 */
async function readRecords(
  needs: Needs,
  stream: BucketStream,
  key: ObjectKey,
  current: VersionId | undefined,
): Promise<Records | undefined> {
  const listed = await listVersionIds(needs, stream, key);
  const ids = listed.filter((id) => id !== current && id !== NULL_VERSION);
  let nullVersion: TimedVersion | undefined;
  if (current !== NULL_VERSION && listed.includes(NULL_VERSION)) {
    const message = await readVersionMessage(needs, stream, key, NULL_VERSION);
    const version = noncurrentOf(stream, key, NULL_VERSION, message);
    nullVersion = version && timedOf(NULL_VERSION, version.info);
    if (version !== undefined) {
      if (nullVersion === undefined) return undefined;
      const { ordinal } = version.record;
      const at = ids.findIndex((id) => (ordinalOf(id) ?? 0) < ordinal);
      ids.splice(at < 0 ? ids.length : at, 0, NULL_VERSION);
    } else if (message.read?.kind === "unreadable") return undefined;
  }
  return {
    ids,
    nullVersion,
    async read(id) {
      if (id === NULL_VERSION) return nullVersion;
      const message = await readVersionMessage(needs, stream, key, id);
      const version = noncurrentOf(stream, key, id, message);
      return version && timedOf(id, version.info);
    },
  };
}

/** Returns the latest version that is not younger than a time, and the oldest one that is. */
async function searchRecords(
  { ids, read }: Records,
  time: Date,
): Promise<
  { readonly younger: TimedVersion | undefined; readonly found: TimedVersion | undefined }
> {
  let younger: TimedVersion | undefined;
  let found: TimedVersion | undefined;
  for (let [low, high] = [0, ids.length]; low < high;) {
    const middle = Math.floor((low + high) / 2);
    let at = middle;
    let version: TimedVersion | undefined;
    for (; at < high && version === undefined; at++) version = await read(ids[at] as VersionId);
    if (version !== undefined && version.modified > time) [younger, low] = [version, at];
    else [found, high] = [version ?? found, middle];
  }
  return { younger, found };
}

/** Returns the place in time of a version; undefined if its object info cannot be read. */
function timedOf(versionId: VersionId, { parsed, marker }: ReadInfo): TimedVersion | undefined {
  if (marker !== undefined) return { versionId, modified: marker.modified, isMarker: true };
  if (parsed.kind !== "object") return undefined;
  return { versionId, modified: parsed.object.info.modified, isMarker: false };
}
