/**
 * Objects on JetStream: reads and deletes them; `put.ts` stores them.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import {
  deleteMarkerError,
  noSuchVersion,
  NULL_VERSION,
  type VersionId,
} from "../../s3/version_id.ts";
import type {
  ChooseRange,
  Deleted,
  DeleteInput,
  InfoOptions,
  ObjectContent,
  ObjectInfo,
} from "../../store/objects.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { newNuid } from "../layout/nuid.ts";
import { formatTombstone, TOMBSTONE_TTL } from "../layout/format_info.ts";
import type { StoredObject } from "../layout/object_info.ts";
import { infoSubject, records, VERSIONS_LAYOUT } from "../layout/subjects.ts";
import { type BytesNeeds, openBytes } from "./bytes.ts";
import { type ChunkMapNeeds, withPartSizes } from "./chunk_maps.ts";
import { ChunksMissing } from "./chunk_reader.ts";
import type { ObjectsContext } from "./context.ts";
import { type Current, readCurrent } from "./current.ts";
import { checkUnlocked } from "./lock_guard.ts";
import { removeVersion } from "./remove_version.ts";
import { replace } from "./replace.ts";
import type { ReplaceNeeds } from "./replacement.ts";
import { findVersion, type FoundVersion } from "./version_records.ts";
import { notBefore } from "./version_times.ts";

/** How often a read starts over because its object was replaced before the first byte. */
const READ_ATTEMPTS = 100;

/** The fields of a context that a read of object info needs. */
export type InfoNeeds = ChunkMapNeeds & Pick<ObjectsContext, "streams" | "doubt" | "log">;

/**
 * Reads an object's metadata.
 *
 * @throws S3Error `NoSuchKey`
 */
export async function readObject(
  needs: InfoNeeds,
  bucket: BucketName,
  key: ObjectKey,
  options?: InfoOptions,
): Promise<ObjectInfo> {
  const stream = await needs.streams.get(bucket);
  const { object } = await locate(needs, stream, key, options?.versionId);
  return await withPartSizes(needs, stream, object, options);
}

/** Reads an object's metadata and the bytes that `choose` returns. */
export async function getObject(
  needs: InfoNeeds & BytesNeeds,
  bucket: BucketName,
  key: ObjectKey,
  choose: ChooseRange,
  options?: InfoOptions,
): Promise<ObjectContent> {
  const stream = await needs.streams.get(bucket);
  for (let attempt = 1, before = 0;; attempt++) {
    const { object, sequence } = await locate(needs, stream, key, options?.versionId);
    const info = await withPartSizes(needs, stream, object, options);
    const range = choose(info);
    try {
      return { info, range, body: await openBytes(needs, stream, object, range) };
    } catch (cause) {
      if (!(cause instanceof ChunksMissing)) throw cause;
      // A write that replaced the object may have purged its bytes at once: then there is a new object to read.
      if (sequence === before || attempt === READ_ATTEMPTS) {
        needs.log.warn("object is unreadable", { bucket, key, reason: cause.message });
        throw new S3Error("InternalError", {}, { cause });
      }
      before = sequence;
    }
  }
}

/** An object, and the stream sequence of what says so. */
type Located = { readonly object: StoredObject; readonly sequence: number };

/**
 * Finds the current object, or a version.
 *
 * @throws S3Error `NoSuchKey`, `NoSuchVersion`; `MethodNotAllowed` for a delete marker; `InternalError` if it cannot be read
 */
export async function locate(
  needs: Pick<ObjectsContext, "requests" | "streams" | "doubt" | "reportUnreadable">,
  stream: BucketStream,
  key: ObjectKey,
  id: VersionId | undefined,
): Promise<Located> {
  if (id === undefined || (id === NULL_VERSION && stream.layout < VERSIONS_LAYOUT)) {
    const current = await readCurrent(needs, stream, key);
    if (id !== undefined && current.parsed.kind === "absent") throw noSuchVersion(key, id);
    return { object: existing(needs, stream, key, current), sequence: current.sequence };
  }
  const found = await findVersion(needs, stream, key, id);
  if (found === undefined) throw noSuchVersion(key, id);
  return locatedIn(needs, stream, key, id, found);
}

/** Returns the object of a version. */
export function locatedIn(
  { reportUnreadable }: Pick<ObjectsContext, "reportUnreadable">,
  stream: BucketStream,
  key: ObjectKey,
  id: VersionId,
  found: FoundVersion,
): Located {
  const { info, sequence } = found.kind === "current"
    ? { info: found.current, sequence: found.current.sequence }
    : found.kind === "noncurrent"
    ? found.version
    : { info: undefined, sequence: 0 };
  if (info?.marker !== undefined) {
    throw deleteMarkerError(key, { id, modified: info.marker.modified }, true);
  }
  if (info?.parsed.kind === "object") {
    const { object } = info.parsed;
    return { object: { ...object, info: { ...object.info, versionId: id } }, sequence };
  }
  if (info?.parsed.kind === "absent") throw noSuchVersion(key, id);
  const reason = info?.parsed.reason ?? "the record of the version cannot be read";
  reportUnreadable(stream.bucket, "version", records.version(stream.store, key, id), reason);
  throw new S3Error("InternalError", { Key: key, VersionId: id }, { cause: new Error(reason) });
}

/** Deletes an object. If it is missing, this is not an error and leaves no message, except where the bucket keeps versions. */
export async function deleteObject(
  needs: ReplaceNeeds,
  bucket: BucketName,
  key: ObjectKey,
  input: DeleteInput,
): Promise<Deleted> {
  const { precondition, versionId, owner } = input;
  const stream = await needs.streams.prepare(bucket);
  if (versionId !== undefined && stream.layout >= VERSIONS_LAYOUT) {
    return await removeVersion(needs, stream, key, versionId, input);
  }
  if (versionId !== undefined && versionId !== NULL_VERSION) {
    return { versionId: undefined, isMarker: false }; // it does not exist
  }
  const { result } = await replace<Deleted>(needs, stream, key, {
    makesVersion: true,
    describe(before, _, version) {
      const { parsed } = before;
      if (parsed.kind === "absent" && version === undefined) {
        return { kind: "nothing", result: { versionId: undefined, isMarker: false } };
      }
      const nuid = newNuid(key);
      const now = version === undefined ? needs.now() : notBefore(needs.now(), before);
      const marker = version && { version, owner };
      return {
        kind: "marker",
        nuid,
        message: formatTombstone(stream.store, key, nuid, now, marker),
        ttl: stream.prepared && version === undefined ? TOMBSTONE_TTL : undefined,
        result: { versionId: version?.id, isMarker: version !== undefined },
      };
    },
    precondition,
    // Only who names the version may bypass its retention.
    guard: (_, before, now) =>
      checkUnlocked(key, before, versionId !== undefined && input.bypass === true, now),
  });
  return result;
}

/**
 * Returns the object that object info describes.
 *
 * @throws S3Error `NoSuchKey`; `InternalError` if it cannot be read
 */
export function existing(
  { doubt, reportUnreadable }: Pick<ObjectsContext, "doubt" | "reportUnreadable">,
  { bucket, store, layout }: BucketStream,
  key: ObjectKey,
  { parsed, sequence, marker, version }: Current,
): StoredObject {
  if (parsed.kind === "object") {
    const { object } = parsed;
    const isStated = layout < VERSIONS_LAYOUT || version !== undefined;
    return isStated ? object : { ...object, info: { ...object.info, versionId: NULL_VERSION } };
  }
  if (marker !== undefined && version !== undefined) {
    throw deleteMarkerError(key, { id: version.id, modified: marker.modified }, false);
  }
  if (parsed.kind === "absent") {
    if (sequence === 0) doubt(bucket, key);
    throw new S3Error("NoSuchKey", { Key: key });
  }
  reportUnreadable(bucket, "info", infoSubject(store, key), parsed.reason);
  throw new S3Error("InternalError", { Key: key }, { cause: new Error(parsed.reason) });
}
