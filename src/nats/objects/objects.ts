/**
 * Objects on JetStream: reads and deletes them; `put.ts` stores them.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
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
import { infoSubject } from "../layout/subjects.ts";
import { type BytesNeeds, openBytes } from "./bytes.ts";
import { type ChunkMapNeeds, withPartSizes } from "./chunk_maps.ts";
import { ChunksMissing } from "./chunk_reader.ts";
import type { ObjectsContext } from "./context.ts";
import { type Current, readCurrent } from "./current.ts";
import { replace, type ReplaceNeeds } from "./replace.ts";
import { checkRetention } from "./retention.ts";

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
  const object = existing(needs, stream, key, await readCurrent(needs, stream, key));
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
    const current = await readCurrent(needs, stream, key);
    const object = existing(needs, stream, key, current);
    const info = await withPartSizes(needs, stream, object, options);
    const range = choose(info);
    try {
      return { info, range, body: await openBytes(needs, stream, object, range) };
    } catch (cause) {
      if (!(cause instanceof ChunksMissing)) throw cause;
      // A write that replaced the object may have purged its bytes at once: then there is a new object to read.
      if (current.sequence === before || attempt === READ_ATTEMPTS) {
        needs.log.warn("object is unreadable", { bucket, key, reason: cause.message });
        throw new S3Error("InternalError", {}, { cause });
      }
      before = current.sequence;
    }
  }
}

/** Deletes an object. If it is missing, this is not an error and leaves no message. */
export async function deleteObject(
  needs: ReplaceNeeds,
  bucket: BucketName,
  key: ObjectKey,
  { precondition }: DeleteInput,
): Promise<Deleted> {
  const stream = await needs.streams.prepare(bucket);
  await replace(needs, stream, key, {
    describe({ parsed }) {
      if (parsed.kind === "absent") return { kind: "nothing", result: undefined };
      const nuid = newNuid(key);
      return {
        kind: "marker",
        nuid,
        message: formatTombstone(stream.store, key, nuid, needs.now()),
        ttl: stream.prepared ? TOMBSTONE_TTL : undefined,
        result: undefined,
      };
    },
    precondition,
    guard: checkRetention,
  });
  return { versionId: undefined, isMarker: false };
}

/**
 * Returns the object that object info describes.
 *
 * @throws S3Error `NoSuchKey`; `InternalError` if it cannot be read
 */
export function existing(
  { doubt, reportUnreadable }: Pick<ObjectsContext, "doubt" | "reportUnreadable">,
  { bucket, store }: BucketStream,
  key: ObjectKey,
  { parsed, sequence }: Current,
): StoredObject {
  if (parsed.kind === "object") return parsed.object;
  if (parsed.kind === "absent") {
    if (sequence === 0) doubt(bucket, key);
    throw new S3Error("NoSuchKey", { Key: key });
  }
  reportUnreadable(bucket, "info", infoSubject(store, key), parsed.reason);
  throw new S3Error("InternalError", { Key: key }, { cause: new Error(parsed.reason) });
}
