/**
 * Makes way for a new version of a key in a bucket that has or had versioning: archives the current one, and chooses the id and
 * the ordinal of the new one.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { ObjectKey } from "../../s3/names.ts";
import { newVersionId, NULL_VERSION } from "../../s3/version_id.ts";
import { monotonic, randomBytes } from "../../world/world.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { readVersioningNow, type Versioning, versioningOf } from "../buckets/versioning.ts";
import { isConflict } from "../jetstream/errors.ts";
import type { Nuid } from "../layout/nuid.ts";
import type { ReadInfo } from "../layout/object_info.ts";
import { records } from "../layout/subjects.ts";
import type { VersionFacts } from "../layout/version_facts.ts";
import { formatGone, GONE_TTL } from "../layout/version_record.ts";
import { archive, type ArchiveNeeds } from "./archive.ts";
import type { Outcome } from "./commit.ts";
import type { ObjectsContext } from "./context.ts";
import { type Current, readBefore } from "./current.ts";
import { isLocked } from "./lock_guard.ts";
import { reasonOf, trashGroup } from "./trash.ts";
import {
  heldVersion,
  highestOrdinal,
  type Noncurrent,
  noncurrentOf,
  readVersionMessage,
} from "./version_records.ts";

/** Fields of a context that a new version needs. */
export type NewVersionNeeds =
  & ArchiveNeeds
  & Pick<ObjectsContext, "documents" | "reportUnreadable">;

/** What a write has read and prepared. */
export type Turn = {
  readonly versioning: Versioning;
  /** When the bucket was known to be so, in monotonic time. */
  readonly at: number;
  readonly before: Current;
  /** The write takes the place of the current version, which is `null`, as in a bucket without versions. */
  readonly isInPlace: boolean;
  /** The version `null`, if object lock keeps the write from taking its place. */
  readonly locked: Pick<ReadInfo, "parsed" | "lockedUntil"> | undefined;
  /** The version to make. */
  readonly version: VersionFacts;
  /** The version `null` that stands in a record and has to go, because the write makes another one. */
  readonly hidden: Noncurrent | undefined;
};

/** How often this starts over because the key changes. */
const ATTEMPTS = 200;
/** Versions of a key that has none begin here, so that there is room below for one that was written before versioning. */
const FIRST_ORDINAL = 2;

/**
 * Reads what a write replaces, and archives it unless the write takes the place of the version `null`.
 *
 * @param reading The current object info, if it is being read.
 * @param check Called with the current object info before anything is written. What it throws is thrown.
 * @throws S3Error `SlowDown` if the key changes too often
 */
export async function takeTurn(
  needs: NewVersionNeeds,
  stream: BucketStream,
  key: ObjectKey,
  reading: Current | Promise<Current> | undefined,
  check: (before: Current) => void,
): Promise<Turn> {
  // Whoever does not await it must not leave its rejection to nobody.
  if (reading instanceof Promise) reading.catch(() => {});
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const at = monotonic();
    const versioning = await versioningOf(needs, stream);
    // The record of `null` is read before object info, which may not be older.
    const hidden = versioning === "Suspended"
      ? noncurrentOf(
        stream,
        key,
        NULL_VERSION,
        await readVersionMessage(needs, stream, key, NULL_VERSION),
      )
      : undefined;
    const isEarly = versioning === "Enabled" && reading !== undefined;
    const before = await (isEarly ? reading : readBefore(needs, stream, key)) as Current;
    reading = undefined;
    check(before);
    const held = heldVersion(before);
    const isInPlace = versioning === "Suspended" && held?.id === NULL_VERSION;
    const replaced = isInPlace ? before : hidden?.info;
    const locked = versioning === "Suspended" && replaced !== undefined &&
      isLocked(replaced, needs.now());
    // A lock where nothing should keep it says that what is known of the bucket may be old.
    if (locked && await readVersioningNow(needs, stream) !== "Suspended") continue;
    const ordinal = await ordinalOf(needs, stream, key, before, held);
    if (held !== undefined && !isInPlace && !locked) {
      const isArchived = await archive(needs, stream, key, before, { id: held.id, ordinal });
      if (!isArchived) continue;
    }
    const next = ordinal + 1;
    const id = versioning === "Enabled" ? newVersionId(next, randomBytes(32)) : NULL_VERSION;
    // A record that object info shadowed goes as well, unless it is locked.
    const isKept = hidden !== undefined && isLocked(hidden.info, needs.now());
    const version = { id, ordinal: next };
    return {
      ...{ versioning, at, before, isInPlace, version },
      ...{ locked: locked ? replaced : undefined, hidden: isKept ? undefined : hidden },
    };
  }
  throw new S3Error("SlowDown", { Key: key });
}

/** Returns the ordinal of the version that object info holds, or that a version before the first one would have. */
async function ordinalOf(
  needs: NewVersionNeeds,
  stream: BucketStream,
  key: ObjectKey,
  { version }: Current,
  held: VersionFacts | undefined,
): Promise<number> {
  if (held !== undefined && held.ordinal > 0) return held.ordinal;
  // What a native client deleted still tells its ordinal.
  const highest = Math.max(await highestOrdinal(needs, stream, key), version?.ordinal ?? 0);
  return held === undefined ? Math.max(highest, FIRST_ORDINAL - 1) : highest + FIRST_ORDINAL;
}

/**
 * Finds a commit that got no response, and whose version another write has archived since.
 *
 * @returns undefined if nothing tells that it was made
 */
export async function findArchived(
  needs: Pick<ObjectsContext, "requests" | "streams">,
  stream: BucketStream,
  key: ObjectKey,
  id: VersionFacts["id"],
  nuid: Nuid,
): Promise<Extract<Outcome, { readonly kind: "committed" }> | undefined> {
  const message = await readVersionMessage(needs, stream, key, id);
  const found = noncurrentOf(stream, key, id, message);
  // Another write may have made a version `null` as well.
  if (id === NULL_VERSION && found?.info.nuid !== nuid) return undefined;
  if (message.read === undefined) return undefined;
  return { kind: "committed", sequence: found?.record.from ?? 0 };
}

/** Removes the record of the version `null` that another one has taken the place of, unless it has changed. */
export async function removeHidden(
  needs: ArchiveNeeds,
  stream: BucketStream,
  key: ObjectKey,
  { sequence, record, info }: Noncurrent,
): Promise<void> {
  const subject = records.version(stream.store, key, NULL_VERSION);
  const options = { expect: sequence, rollup: true, ttl: GONE_TTL } as const;
  try {
    await needs.requests.publish(subject, formatGone(record.ordinal), options);
  } catch (cause) {
    // A crash here leaves as much: the record of a version that object info shadows, which the sweep removes.
    if (!isConflict(cause)) needs.log.warn("a replaced version was not removed", { key, cause });
    return;
  }
  await trashGroup(needs, stream, key, info.nuid, reasonOf(info));
}
