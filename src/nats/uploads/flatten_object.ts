/**
 * Flattens one object: copies the bytes of its parts into one chunk group, so that a native get finds them.
 *
 * The object info is replaced by compare-and-set. Readers of the old object info read the parts, which are freed like
 * everything that is replaced. A crash leaves the object as it was and a group that nothing names, which the sweep frees.
 * ETag, part sizes, checksums and times stay, and so do fields of the object info that this gateway does not know.
 * @module
 */

import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { ContentInput } from "../../store/content.ts";
import type { FlattenOutcome } from "../../store/maintenance.ts";
import type { ObjectInfo } from "../../store/objects.ts";
import { sourceOf, sourceOfPiece } from "../../streams/byte_source.ts";
import { keepRenewing, lockTask } from "../buckets/lock.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { Unanswered } from "../jetstream/errors.ts";
import { MAX_CHUNK_MAP_LENGTH } from "../layout/chunk_map.ts";
import { newNuid } from "../layout/nuid.ts";
import type { StoredObject } from "../layout/object_info.ts";
import { chunkSubject, records } from "../layout/subjects.ts";
import { type BytesNeeds, openBytes } from "../objects/bytes.ts";
import { withPartSizes } from "../objects/chunk_maps.ts";
import { writeChunks, type WriterNeeds } from "../objects/chunk_writer.ts";
import { type Current, readCurrent } from "../objects/commit.ts";
import { describeGroup, type Description } from "../objects/describe.ts";
import { Overtaken, replace, type ReplaceNeeds } from "../objects/replace.ts";
import { purgeGroup } from "../objects/trash.ts";
import { throttled, type ThrottleOptions } from "./throttle.ts";

/** Size in bytes of the largest object that is flattened: its chunk map fits into one message. */
const MAX_FLATTENED_SIZE = 32 * 1024 ** 3;
/** Lifetime of the lock that keeps other gateways from flattening the same object, unless it is renewed. */
const LOCK_SECONDS = 60;

/** The fields of a context that flattening needs. */
export type FlattenNeeds = BytesNeeds & WriterNeeds & ReplaceNeeds;

/**
 * Copies an object that is in parts into one chunk group, unless another gateway is doing so.
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
  if (parsed.object.info.size > MAX_FLATTENED_SIZE) return "too-large";
  const task = `layout-${parsed.object.bytes.nuid}`;
  const lock = await lockTask(needs, stream, task, LOCK_SECONDS);
  if (lock === undefined) return "taken";
  const lost = new AbortController();
  try {
    using _ = keepRenewing(lock, LOCK_SECONDS, () => lost.abort());
    const signals = [lost.signal, ...(options.signal === undefined ? [] : [options.signal])];
    return await rewrite(needs, stream, key, current, parsed.object, {
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
  let description: Description;
  try {
    const content = verifiedContent(info, throttled(source, options));
    const subject = chunkSubject(store, nuid);
    const written = await writeChunks(needs, subject, content, options.ends);
    content.verify(written.received);
    description = describeGroup(store, nuid, info, written, current.raw);
    const { chunkMap } = description;
    if (chunkMap !== undefined) {
      if (chunkMap.length > MAX_CHUNK_MAP_LENGTH) {
        await purgeGroup(needs, stream, nuid);
        return "too-large";
      }
      await needs.requests.publish(records.layout(store, nuid), chunkMap, { rollup: true });
    }
  } catch (cause) {
    // A group that may yet be stored belongs to the sweep.
    if (!(cause instanceof Unanswered)) await purgeGroup(needs, stream, nuid).catch(() => {});
    throw cause;
  }
  const { message } = description;
  try {
    const { result } = await replace<FlattenOutcome>(needs, stream, key, {
      current,
      describe: ({ sequence }) =>
        sequence === current.sequence
          ? { kind: "object", nuid, message, result: "rewritten" }
          : { kind: "nothing", result: "needless" },
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

/** Returns the bytes of an object, to be checked against the checksum that they were stored with. */
function verifiedContent(
  { key, size, checksum }: ObjectInfo,
  stream: ContentInput["stream"],
): ContentInput {
  const isWhole = checksum?.type === "FULL_OBJECT";
  return {
    stream,
    size,
    algorithm: isWhole ? checksum.algorithm : undefined,
    verify(received) {
      if (!isWhole || received.checksum === checksum.value) return;
      throw new Error(`The bytes of "${key}" do not have the checksum that they were stored with`);
    },
  };
}
