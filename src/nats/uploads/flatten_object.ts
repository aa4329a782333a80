/**
 * Flattens one object: copies the bytes of its parts into one chunk group, so that a native get finds them.
 *
 * The object info is replaced by compare-and-set. Readers of the old object info read the parts, which are freed like
 * everything that is replaced. A crash leaves the object as it was and a group that nothing names, which the sweep frees.
 * ETag, part sizes, checksums and times stay, and so do fields of the object info that this gateway does not know.
 * @module
 */

import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { FlattenOutcome } from "../../store/maintenance.ts";
import type { ObjectInfo } from "../../store/objects.ts";
import { verifiedContent } from "../../store/verified_content.ts";
import { type ByteSource, sourceOf, sourceOfPiece } from "../../streams/byte_source.ts";
import { keepRenewing, lockTask } from "../buckets/lock.ts";
import { readRoom } from "../buckets/quota.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { isFull } from "../jetstream/errors.ts";
import { newNuid } from "../layout/nuid.ts";
import type { StoredObject } from "../layout/object_info.ts";
import { chunkSubject } from "../layout/chunk_subjects.ts";
import { records } from "../layout/subjects.ts";
import { type BytesNeeds, openBytes } from "../objects/bytes.ts";
import { withPartSizes } from "../objects/chunk_maps.ts";
import { writeChunks, type WriterNeeds } from "../objects/chunk_writer.ts";
import { type Current, readCurrent } from "../objects/current.ts";
import { describeGroup, type Description, mapLimit } from "../objects/describe.ts";
import { replace } from "../objects/replace.ts";
import { Overtaken, type ReplaceNeeds } from "../objects/replacement.ts";
import { purgeGroup } from "../objects/trash.ts";
import { throttled, type ThrottleOptions } from "./throttle.ts";

/** Size in bytes of the largest object that is flattened: its chunk map fits into one message. */
const MAX_FLATTENED_SIZE = 32 * 1024 ** 3;
/** Lifetime of the lock that keeps other gateways from flattening the same object, unless it is renewed. */
const LOCK_SECONDS = 60;

/** Bytes between two looks at the room that is left. */
const ROOM_INTERVAL = 8 * 1024 * 1024;

/** The fields of a context that flattening needs. */
export type FlattenNeeds = BytesNeeds & WriterNeeds & ReplaceNeeds;

/**
 * Copies an object that is in parts into one chunk group, unless another gateway is doing so or the bucket has no room for
 * a second copy.
 *
 * @param options `signal` ends the copy and leaves the object as it was.
 */
export async function flattenObject(
  needs: FlattenNeeds,
  bucket: BucketName,
  key: ObjectKey,
  options: ThrottleOptions,
): Promise<FlattenOutcome> {
  const stream = await needs.streams.get(bucket);
  if (stream.readOnly) return "needless";
  const current = await readCurrent(needs, stream, key);
  const { parsed } = current;
  if (parsed.kind !== "object" || parsed.object.bytes.kind !== "parts") return "needless";
  const { size } = parsed.object.info;
  if (size > MAX_FLATTENED_SIZE) return "too-large";
  try {
    if (await readRoom(needs, stream) < size) return "no-room";
    return await flattenAlone(needs, stream, key, current, parsed.object, options);
  } catch (cause) {
    if (cause instanceof NoRoom || isFull(cause)) return "no-room";
    throw cause;
  }
}

/** Flattens an object that no other gateway is flattening. */
async function flattenAlone(
  needs: FlattenNeeds,
  stream: BucketStream,
  key: ObjectKey,
  current: Current,
  object: StoredObject,
  options: ThrottleOptions,
): Promise<FlattenOutcome> {
  const task = `layout-${object.bytes.nuid}`;
  const lock = await lockTask(needs, stream, task, LOCK_SECONDS);
  if (lock === undefined) return "taken";
  const lost = new AbortController();
  try {
    using _ = keepRenewing(lock, LOCK_SECONDS, () => lost.abort());
    const signals = [lost.signal, ...(options.signal === undefined ? [] : [options.signal])];
    return await rewrite(needs, stream, key, current, object, {
      ...options,
      ends: AbortSignal.any(signals),
    });
  } finally {
    await lock.release().catch(() => {}); // it expires
  }
}

type RewriteOptions = ThrottleOptions & {
  /** Ends the copy, also when the lock is lost. */
  readonly ends: AbortSignal;
};

async function rewrite(
  needs: FlattenNeeds,
  stream: BucketStream,
  key: ObjectKey,
  current: Current,
  object: StoredObject,
  options: RewriteOptions,
): Promise<FlattenOutcome> {
  const info = await withPartSizes(needs, stream, object, { partChecksums: true });
  const body = await openBytes(needs, stream, object, "all");
  if (body === null) return "needless";
  const source = body instanceof Uint8Array ? sourceOfPiece(body) : sourceOf(body);
  const { store } = stream;
  const nuid = newNuid(key);
  let describe: (current: Pick<Current, "raw">, info: ObjectInfo) => Description;
  try {
    const roomy = whileRoom(needs, stream, info.size, throttled(source, options));
    const content = verifiedContent(
      info,
      roomy,
      () => new Error(`The bytes of "${key}" do not have the checksum that they were stored with`),
    );
    const subject = chunkSubject(store, nuid);
    const written = await writeChunks(needs, subject, content, options.ends);
    content.verify(written.received);
    const limit = mapLimit(needs.requests);
    describe = ({ raw }, info) => describeGroup(store, nuid, info, written, limit, raw);
    const { chunkMap } = describe(current, info);
    if (chunkMap !== undefined) {
      if (chunkMap.length > limit) {
        await purgeGroup(needs, stream, nuid);
        return "too-large";
      }
      await needs.requests.publish(records.layout(store, nuid), chunkMap, { rollup: true });
    }
  } catch (cause) {
    // Nothing names the group yet, so an unanswered chunk puts nothing in doubt.
    await purgeGroup(needs, stream, nuid).catch(() => {});
    throw cause;
  }
  try {
    const { result } = await replace<FlattenOutcome>(needs, stream, key, {
      current,
      describe(before) {
        const { parsed } = before;
        if (parsed.kind !== "object" || parsed.object.bytes.nuid !== object.bytes.nuid) {
          return { kind: "nothing", result: "needless" };
        }
        // The tags may have changed meanwhile.
        const { partSizes, partChecksums } = info;
        const now = { ...parsed.object.info, partSizes, partChecksums };
        const { message } = describe(before, now);
        return { kind: "object", nuid, message, result: "rewritten" };
      },
      precondition: {},
      guard: undefined,
      newGroup: nuid,
      discard: purgeGroup,
    });
    return result;
  } catch (cause) {
    if (cause instanceof Overtaken) return "needless";
    throw cause;
  }
}

/** Clients have filled the bucket during the copy. */
class NoRoom extends Error {
  override readonly name = "NoRoom";
}

/** Passes a source on and fails as soon as there is no room for the rest of it, so that clients keep their room. */
function whileRoom(
  needs: Pick<FlattenNeeds, "requests">,
  stream: BucketStream,
  size: number,
  source: ByteSource,
): ByteSource {
  let left = size;
  let nextLook = size - ROOM_INTERVAL;
  return {
    async read() {
      if (left <= nextLook) {
        nextLook = left - ROOM_INTERVAL;
        if (await readRoom(needs, stream) < left) throw new NoRoom("The bucket has no room left");
      }
      const piece = await source.read();
      left -= piece?.length ?? 0;
      return piece;
    },
    cancel: (reason) => source.cancel(reason),
  };
}
