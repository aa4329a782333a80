/**
 * Removes a version for good.
 *
 * A noncurrent version leaves a record that says so, which keeps a late archive from bringing it back. In place of the current
 * version comes the one before it: one atomic batch, because no reader may see neither or both. A full bucket refuses that
 * batch, but not the removal of a noncurrent or an only version.
 * @module
 */

import { checkWrite } from "../../s3/conditions.ts";
import { S3Error } from "../../s3/errors.ts";
import type { ObjectKey } from "../../s3/names.ts";
import type { VersionId } from "../../s3/version_id.ts";
import type { Deleted, DeleteInput } from "../../store/objects.ts";
import { removeMessage } from "../buckets/make_room.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { isConflict, isFull, Unanswered } from "../jetstream/errors.ts";
import type { BatchMessage } from "../jetstream/messages.ts";
import { formatTombstone, TOMBSTONE_TTL } from "../layout/format_info.ts";
import { newNuid } from "../layout/nuid.ts";
import { formatPromoted } from "../layout/promoted_info.ts";
import { infoSubject, records } from "../layout/subjects.ts";
import { formatGone, formatVersion, GONE_TTL } from "../layout/version_record.ts";
import { validatorOf } from "./check_replace.ts";
import type { Current } from "./current.ts";
import { deleteInFullBucket } from "./full_bucket.ts";
import { checkUnlocked } from "./lock_guard.ts";
import { findNext } from "./next_version.ts";
import type { ReplaceNeeds } from "./replacement.ts";
import { freeReplaced, reasonOf, trashGroup } from "./trash.ts";
import {
  findToChange,
  heldVersion,
  highestOrdinal,
  type Noncurrent,
  noncurrentOf,
  readVersionMessage,
  type VersionMessage,
} from "./version_records.ts";

/** How often a removal starts over because the key changes. */
const ATTEMPTS = 200;
/** How often a removal is requested while no response comes. */
const UNANSWERED_ATTEMPTS = 3;

/** Removes a version; one that does not exist is no error. */
export async function removeVersion(
  needs: ReplaceNeeds,
  stream: BucketStream,
  key: ObjectKey,
  versionId: VersionId,
  { precondition, bypass = false }: DeleteInput,
): Promise<Deleted> {
  let unanswered = 0;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { message, current, found } = await findToChange(needs, stream, key, versionId);
    // Conditions look at the current version, whatever is removed.
    checkWrite(precondition, validatorOf(current), key, heldVersion(current)?.id);
    if (found === undefined) {
      return { versionId, isMarker: false };
    }
    if (found.kind === "unreadable") throw unreadableError(key, versionId);
    const info = found.kind === "current" ? found.current : found.version.info;
    checkUnlocked(key, info, bypass, needs.now());
    try {
      const isRemoved = found.kind === "current"
        ? await removeCurrent(needs, stream, key, current, message, versionId)
        : await removeNoncurrent(needs, stream, key, found.version, current);
      if (!isRemoved) continue;
      return { versionId, isMarker: info.marker !== undefined };
    } catch (cause) {
      if (cause instanceof Unanswered && ++unanswered < UNANSWERED_ATTEMPTS) continue;
      if (!isConflict(cause)) throw cause;
    }
  }
  throw new S3Error("SlowDown", { Key: key });
}

function unreadableError(key: ObjectKey, versionId: VersionId): S3Error {
  return new S3Error("InternalError", { Key: key, VersionId: versionId }, {
    message: "The record of the version cannot be read.",
  });
}

/**
 * Puts the version before the current one in its place, and frees what it had. Returns false if somebody else changed the
 * key.
 */
async function removeCurrent(
  needs: ReplaceNeeds,
  stream: BucketStream,
  key: ObjectKey,
  current: Current,
  message: VersionMessage,
  id: VersionId,
): Promise<boolean> {
  const { store } = stream;
  const subject = infoSubject(store, key);
  const held = heldVersion(current)?.ordinal ?? 0;
  const next = await findNext(needs, stream, key, id, held);
  const ordinal = held ||
    1 + (next?.record.ordinal ?? await highestOrdinal(needs, stream, key));
  const nuid = newNuid(key);
  const tombstone = formatTombstone(store, key, nuid, needs.now());
  const replacement: readonly BatchMessage[] = next === undefined
    ? [{ subject, data: tombstone, rollup: true, expect: current.sequence, ttl: TOMBSTONE_TTL }]
    : [
      { subject, data: promoted(next), rollup: true, expect: current.sequence },
      // Written again, so that whoever read it before starts over.
      {
        subject: records.version(store, key, next.id),
        data: formatVersion(next.record),
        rollup: true,
        expect: next.sequence,
      },
    ];
  const gone = {
    subject: records.version(store, key, id),
    data: formatGone(ordinal),
    ...{ rollup: true, ttl: GONE_TTL },
  } as const;
  try {
    await needs.requests.publishBatch([
      ...replacement,
      { ...gone, expect: message.sequence },
    ]);
  } catch (cause) {
    // Nothing comes in place of an only version, so it needs no batch.
    if (!isFull(cause) || next !== undefined || message.sequence !== 0) throw cause;
    const marker = { nuid, message: tombstone, ttl: TOMBSTONE_TTL };
    const found: { sealing: Sealing } = { sealing: "none" };
    const { kind } = await deleteInFullBucket(needs, stream, key, current, marker, async () => {
      found.sealing = await sealOnly(needs, stream, key, id, gone);
      return found.sealing !== "archived";
    });
    if (kind !== "committed") return false;
    if (found.sealing !== "sealed") await seal(needs, key, gone.subject, gone.data);
    return true;
  }
  // A native client may have given both versions one group.
  if (next?.info.nuid !== current.nuid) await freeReplaced(needs, stream, key, current);
  // The record of `null` may be that of an older version of this id.
  const older = noncurrentOf(stream, key, id, message);
  if (older !== undefined && older.info.nuid !== current.nuid) {
    const { info } = older;
    await trashGroup(needs, stream, key, info.nuid, reasonOf(info));
  }
  return true;
}

/** What a full bucket holds of an only version whose object info is removed. */
type Sealing =
  | "sealed"
  | "none"
  /** A write that failed then has archived it, or that is not known: it is noncurrent, and has its bytes. */
  | "archived";

async function sealOnly(
  needs: ReplaceNeeds,
  stream: BucketStream,
  key: ObjectKey,
  id: VersionId,
  { subject, data }: { readonly subject: string; readonly data: string },
): Promise<Sealing> {
  try {
    await seal(needs, key, subject, data);
    return "sealed";
  } catch {
    const reading = readVersionMessage(needs, stream, key, id);
    const read = await reading.then((message) => message.read?.kind ?? "none", () => "unknown");
    return read === "none" ? "none" : read === "gone" ? "sealed" : "archived";
  }
}

function promoted({ id, record, info }: Noncurrent): string {
  return formatPromoted(info.raw ?? {}, { id, ordinal: record.ordinal }, record.time);
}

/** Removes a noncurrent version, also in a full bucket. Returns false if somebody else changed or removed it. */
async function removeNoncurrent(
  needs: ReplaceNeeds,
  stream: BucketStream,
  key: ObjectKey,
  { id, sequence, record, info }: Noncurrent,
  current: Current,
): Promise<boolean> {
  const subject = records.version(stream.store, key, id);
  const data = formatGone(record.ordinal);
  const options = { rollup: true, ttl: GONE_TTL } as const;
  let isRecorded = true;
  try {
    await needs.requests.publish(subject, data, { ...options, expect: sequence });
  } catch (cause) {
    if (!isFull(cause)) throw cause;
    if (await removeMessage(needs, stream, sequence) === "gone") return false;
    isRecorded = false;
  }
  // Several versions have one group if a native client has renamed or updated the object.
  if (info.nuid !== current.nuid) {
    const replaced = { ...current, ...info, sequence, time: record.time };
    await freeReplaced(needs, stream, key, replaced);
  }
  if (!isRecorded) await seal(needs, key, subject, data);
  return true;
}

/**
 * Records that a version was removed whose record is gone already, to make room.
 *
 * @throws S3Error `ServiceUnavailable` if even so there is no room: an archive that comes late may bring the version back
 */
async function seal(
  { requests }: Pick<ReplaceNeeds, "requests">,
  key: ObjectKey,
  subject: string,
  data: string,
): Promise<void> {
  try {
    await requests.publish(subject, data, { expect: 0, rollup: true, ttl: GONE_TTL });
  } catch (cause) {
    if (!isFull(cause)) throw cause;
    throw new S3Error("ServiceUnavailable", { Key: key }, { cause });
  }
}
