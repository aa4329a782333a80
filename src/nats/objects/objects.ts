/**
 * Objects on JetStream: chunks first, then one metadata message, and the replaced group into the trash.
 * @module
 */

import type { WritePrecondition } from "../../s3/conditions.ts";
import { S3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type {
  ChooseRange,
  InfoOptions,
  ObjectContent,
  ObjectInfo,
  ObjectInput,
} from "../../store/store.ts";
import { sourceOf } from "../../streams/byte_source.ts";
import { monotonic } from "../../world/world.ts";
import { checkRoom } from "../buckets/quota.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { newNuid } from "../layout/nuid.ts";
import { formatTombstone, type StoredObject, TOMBSTONE_TTL } from "../layout/object_info.ts";
import { chunkSubject, records } from "../layout/subjects.ts";
import { openBytes, withPartSizes } from "./bytes.ts";
import { ChunksMissing } from "./chunk_reader.ts";
import { writeChunks } from "./chunk_writer.ts";
import { type Current, readCurrent } from "./commit.ts";
import type { ObjectsContext } from "./context.ts";
import { describeGroup } from "./describe.ts";
import { type Change, checkReplace, replace } from "./replace.ts";
import { checkRetention } from "./retention.ts";
import { discardGroup } from "./trash.ts";

/** Milliseconds after which a write of one chunk looks whether its bucket is still the one it began in. */
const SLOW = 1000;
/** How often a read begins again because its object was replaced before the first byte. */
const READ_ATTEMPTS = 100;

/** An object's metadata. Throws `NoSuchKey`. */
export async function readObject(
  context: ObjectsContext,
  bucket: BucketName,
  key: ObjectKey,
  options?: InfoOptions,
): Promise<ObjectInfo> {
  const stream = await context.streams.get(bucket);
  const object = existing(context, stream, key, await readCurrent(context, stream, key));
  return await withPartSizes(context, stream, object, options);
}

/** Metadata and the bytes that `choose` wants. */
export async function getObject(
  context: ObjectsContext,
  bucket: BucketName,
  key: ObjectKey,
  choose: ChooseRange,
  options?: InfoOptions,
): Promise<ObjectContent> {
  const stream = await context.streams.get(bucket);
  for (let attempt = 1, before = 0;; attempt++) {
    const current = await readCurrent(context, stream, key);
    const object = existing(context, stream, key, current);
    const info = await withPartSizes(context, stream, object, options);
    const range = choose(info);
    try {
      return { info, range, body: await openBytes(context, stream, object, range) };
    } catch (cause) {
      if (!(cause instanceof ChunksMissing)) throw cause;
      // Whoever replaces an object may purge its bytes at once: then there is a new object to read.
      if (current.sequence === before || attempt === READ_ATTEMPTS) {
        context.log.warn("object is unreadable", { bucket, key, reason: cause.message });
        throw new S3Error("InternalError", {}, { cause });
      }
      before = current.sequence;
    }
  }
}

/** Stores an object. */
export async function putObject(
  context: ObjectsContext,
  bucket: BucketName,
  key: ObjectKey,
  { content, properties, owner, precondition, signal }: ObjectInput,
): Promise<ObjectInfo> {
  let stream: BucketStream;
  let current: Promise<Current>;
  try {
    stream = await context.streams.prepare(bucket);
    if (stream.fenced) throw new S3Error("OperationAborted", { BucketName: bucket });
    await checkRoom(context, stream, content.size);
    current = readCurrent(context, stream, key);
    // A condition that fails already is told before the body is read; otherwise reading goes on beside it.
    if (Object.keys(precondition).length > 0) {
      checkReplace(key, await current, precondition, checkRetention, context.now());
    } else current.catch(() => {});
  } catch (cause) {
    await sourceOf(content.stream).cancel().catch(() => {});
    throw cause;
  }

  const nuid = newNuid(key);
  const began = monotonic();
  let change: Change<ObjectInfo>;
  let lastChunk: number;
  let chunks: number;
  try {
    const subject = chunkSubject(stream.store, nuid);
    const written = await writeChunks(context, subject, content, signal);
    const { received, sequences } = written;
    content.verify(received);
    signal?.throwIfAborted();
    lastChunk = sequences.at(-1) ?? 0;
    chunks = sequences.length;

    const checksum = content.algorithm !== undefined && received.checksum !== undefined
      ? { algorithm: content.algorithm, value: received.checksum, type: "FULL_OBJECT" as const }
      : undefined;
    const info = {
      key,
      size: received.size,
      etag: received.md5,
      modified: context.now(),
      properties,
      checksum,
      owner,
      partSizes: undefined,
      retention: undefined,
    };
    const description = describeGroup({ store: stream.store, nuid }, info, written);
    if (description.chunkMap !== undefined) {
      await context.requests.publish(records.layout(stream.store, nuid), description.chunkMap, {
        rollup: true,
      });
    }
    change = { kind: "object", nuid, message: description.message, result: info };
  } catch (cause) {
    await discardGroup(context, stream, nuid);
    throw cause;
  }
  const { sequence } = await replace(context, stream, key, {
    current,
    describe: () => change,
    precondition,
    guard: checkRetention,
    newGroup: nuid,
  });
  const long = chunks > 1 || monotonic() - began > SLOW;
  await checkSameStream(context, stream, { sequence, lastChunk, long });
  return change.result;
}

/**
 * A bucket that was deleted and made again while the body was on its way has the object info and not the chunks: takes
 * the commit back.
 *
 * @throws S3Error `ServiceUnavailable`
 */
async function checkSameStream(
  context: ObjectsContext,
  stream: BucketStream,
  { sequence, lastChunk, long }: {
    readonly sequence: number;
    readonly lastChunk: number;
    /** Took long enough for another bucket to have got as many messages. */
    readonly long: boolean;
  },
): Promise<void> {
  let same = sequence > lastChunk;
  if (same && long) {
    const now = await context.streams.read(stream.bucket);
    same = now.created.getTime() === stream.created.getTime();
  }
  if (same) return;
  await context.streams.deleteMessage(stream.stream, sequence);
  throw new S3Error("ServiceUnavailable", { BucketName: stream.bucket }, {
    message: "The bucket was deleted and created again during the request.",
  });
}

/** Deletes an object; a missing one is no error and leaves no message. */
export async function deleteObject(
  context: ObjectsContext,
  bucket: BucketName,
  key: ObjectKey,
  precondition: WritePrecondition,
): Promise<void> {
  const stream = await context.streams.prepare(bucket);
  await replace(context, stream, key, {
    describe({ parsed }) {
      if (parsed.kind === "absent") return { kind: "nothing", result: undefined };
      const nuid = newNuid(key);
      return {
        kind: "marker",
        nuid,
        message: formatTombstone(stream.store, key, nuid, context.now()),
        ttl: stream.prepared ? TOMBSTONE_TTL : undefined,
        result: undefined,
      };
    },
    precondition,
    guard: checkRetention,
  });
}

function existing(
  { doubt, log }: ObjectsContext,
  { bucket }: BucketStream,
  key: ObjectKey,
  { parsed, sequence }: Current,
): StoredObject {
  if (parsed.kind === "object") return parsed.object;
  if (parsed.kind === "absent") {
    if (sequence === 0) doubt(bucket, key);
    throw new S3Error("NoSuchKey", { Key: key });
  }
  log.warn("object is unreadable", { bucket, key, reason: parsed.reason });
  throw new S3Error("InternalError", { Key: key }, { cause: new Error(parsed.reason) });
}
