/**
 * Deleting in a full bucket: freeing room must never need room.
 *
 * Where even a delete marker is refused, the object info is deleted by its sequence. No message announces that, so the
 * object's bytes are purged at once, which makes room for the marker. A group whose nuid was made for another key, as
 * that of every native object, is purged as soon as no object info is found to name it. What still cannot be recorded is
 * kept in memory and finished with the next emptying of the trash.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import { removeMessage } from "../buckets/make_room.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { isFull } from "../jetstream/errors.ts";
import { publishIfRoom } from "../jetstream/room.ts";
import { isNuidOf, type Nuid } from "../layout/nuid.ts";
import { commitInfo, type NewInfo, type Outcome } from "./commit.ts";
import type { ObjectsContext } from "./context.ts";
import { type Current, readBefore } from "./current.ts";
import { leasedGroups, purgeGroup, reasonOf, trashMessage, type TrashReason } from "./trash.ts";

/** The fields of a context that a delete in a full bucket needs. */
export type FullBucketNeeds = Pick<
  ObjectsContext,
  "requests" | "streams" | "log" | "doubt" | "trashed" | "unfinished" | "findNamed"
>;

/** What is left to do for a deleted object. */
type Rest = { nuid: Nuid | undefined; marker: NewInfo | undefined };

/**
 * Deletes object info by its sequence, purges the bytes that it names, and publishes the marker once there is room.
 *
 * @param record Writes what needs the room first that the object info leaves. It returns whether nothing else names the
 * bytes, and does not throw.
 * @returns `overtaken` if something else names the bytes, which stay
 */
export async function deleteInFullBucket(
  needs: FullBucketNeeds,
  stream: BucketStream,
  key: ObjectKey,
  { sequence, nuid, raw }: Pick<Current, "sequence" | "nuid" | "raw">,
  marker: NewInfo,
  record?: () => Promise<boolean>,
): Promise<Outcome> {
  const removal = await removeMessage(needs, stream, sequence);
  if (removal === "gone") return { kind: "refused" };
  if (removal === "in doubt" && (await readBefore(needs, stream, key)).sequence !== 0) {
    return { kind: "overtaken" };
  }
  needs.doubt(stream.bucket, key);
  const isUnnamed = record === undefined || await record();
  const rest: Rest = { nuid: isUnnamed ? nuid : undefined, marker };
  const reason = removal === "in doubt" ? "perhaps named" : reasonOf({ raw });
  try {
    await freeAndAnnounce(needs, stream, key, rest, reason);
  } catch (cause) {
    needs.log.warn("a delete in a full bucket is unfinished", {
      bucket: stream.bucket,
      key,
      cause,
    });
  }
  if (needs.unfinished.add(stream.bucket, { key, ...rest })) needs.trashed.add(stream.bucket);
  return isUnnamed ? { kind: "committed", sequence: 0 } : { kind: "overtaken" };
}

/** Frees a group and publishes a marker. Sets to undefined what is done. */
async function freeAndAnnounce(
  needs: FullBucketNeeds,
  stream: BucketStream,
  key: ObjectKey,
  rest: Rest,
  reason: TrashReason,
): Promise<void> {
  const { nuid } = rest;
  const isLeased = nuid !== undefined && (await leasedGroups(needs, stream)).has(nuid);
  const isOwn = reason === "replaced" && !stream.hasRenamed;
  if (nuid !== undefined && !isLeased && isOwn && isNuidOf(nuid, key)) {
    await purgeGroup(needs, stream, nuid);
    rest.nuid = undefined;
  }
  await announce(needs, stream, key, rest);
  if (nuid === undefined || rest.nuid === undefined) return;
  // The deleted object info may have left enough room for both records.
  if (await recordIfRoom(needs, stream, key, nuid, reason)) rest.nuid = undefined;
  else if (!isLeased) {
    const named = await needs.findNamed(stream, new Set([nuid]));
    if (!named.has(nuid)) await purgeGroup(needs, stream, nuid);
    rest.nuid = undefined;
  }
  await announce(needs, stream, key, rest);
}

/** Publishes the marker of a deleted object, unless that is done, the bucket is full, or another write was faster. */
export async function announce(
  needs: Pick<ObjectsContext, "requests" | "streams">,
  stream: BucketStream,
  key: ObjectKey,
  rest: { marker: NewInfo | undefined },
): Promise<void> {
  if (rest.marker === undefined) return;
  try {
    await commitInfo(needs, stream, key, rest.marker, 0);
    rest.marker = undefined;
  } catch (cause) {
    if (!isFull(cause)) throw cause;
  }
}

/** Records that a group may be purged after the grace. Returns false if the bucket has no room for that. */
export async function recordIfRoom(
  needs: Pick<ObjectsContext, "requests" | "trashed">,
  stream: BucketStream,
  key: ObjectKey,
  nuid: Nuid,
  reason: TrashReason,
): Promise<boolean> {
  if (!stream.prepared) return false;
  const { subject, data, ...options } = trashMessage(stream.store, key, nuid, reason);
  if (await publishIfRoom(needs.requests, subject, data, options) === undefined) return false;
  needs.trashed.add(stream.bucket);
  return true;
}
