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
import { ChunksMissing } from "./chunk_reader.ts";
import { writeChunks } from "./chunk_writer.ts";
import {
  checkReplace,
  commitInfo,
  type Current,
  type Outcome,
  overtakenError,
  readCurrent,
} from "./commit.ts";
import type { ObjectsContext } from "./context.ts";
import { isFull, Unanswered } from "../jetstream/errors.ts";
import { chunkSubject, records } from "../layout/subjects.ts";
import { isNuidOf, newNuid, type Nuid } from "../layout/nuid.ts";
import { formatChunkMap } from "../layout/chunk_map.ts";
import { openBytes, withPartSizes } from "./bytes.ts";
import {
  formatInfo,
  formatTombstone,
  MAX_SEEK_TEXT,
  type StoredObject,
  TOMBSTONE_TTL,
} from "../layout/object_info.ts";
import { sourceOf } from "../../streams/byte_source.ts";
import { checkRoom } from "../buckets/quota.ts";
import { formatSequences } from "../layout/runs.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { discardGroup, freeReplaced, leasedGroups, purgeGroup, trashGroup } from "./trash.ts";
import { monotonic } from "../../world/world.ts";

/** Milliseconds after which a write of one chunk looks whether its bucket is still the one it began in. */
const SLOW = 1000;
/** How often a read begins again because its object was replaced before the first byte. */
const READ_ATTEMPTS = 100;
/** How often a write that conflicts begins again: enough for a crowd of writers on one key. */
const WRITE_ATTEMPTS = 200;

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
      checkReplace(key, await current, precondition, context.now());
    } else current.catch(() => {});
  } catch (cause) {
    await sourceOf(content.stream).cancel().catch(() => {});
    throw cause;
  }

  const nuid = newNuid(key);
  const began = monotonic();
  let info: ObjectInfo;
  let message: string;
  let lastChunk: number;
  let chunks: number;
  try {
    const subject = chunkSubject(stream.store, nuid);
    const written = await writeChunks(context, subject, content, signal);
    const { received, chunkSize, sequences } = written;
    content.verify(received);
    signal?.throwIfAborted();
    lastChunk = sequences.at(-1) ?? 0;
    chunks = sequences.length;

    const seek = formatSequences(sequences);
    const long = seek.length > MAX_SEEK_TEXT;
    if (long) {
      const layout = formatChunkMap({ kind: "seek", sequences });
      await context.requests.publish(records.layout(stream.store, nuid), layout, { rollup: true });
    }
    const checksum = content.algorithm !== undefined && received.checksum !== undefined
      ? { algorithm: content.algorithm, value: received.checksum, type: "FULL_OBJECT" as const }
      : undefined;
    info = {
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
    message = formatInfo({
      ...info,
      owner,
      store: stream.store,
      nuid,
      chunks: sequences.length,
      chunkSize,
      sha256: received.sha256,
      seek: long || sequences.length === 0 ? undefined : seek,
      layout: long ? "seek" : undefined,
    });
  } catch (cause) {
    await discardGroup(context, stream, nuid);
    throw cause;
  }
  const sequence = await replaceInfo(context, stream, key, {
    nuid,
    message,
    precondition,
    current,
  });
  const long = chunks > 1 || monotonic() - began > SLOW;
  await checkSameStream(context, stream, { sequence, lastChunk, long });
  return info;
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

/**
 * Puts new object info in the place of what is there, under a precondition, and what that named into the trash. A new
 * group that was definitely refused is purged.
 *
 * @returns the sequence of the object info
 */
async function replaceInfo(
  context: ObjectsContext,
  stream: BucketStream,
  key: ObjectKey,
  { nuid, message, precondition, current }: {
    readonly nuid: Nuid;
    readonly message: string;
    readonly precondition: WritePrecondition;
    readonly current: Promise<Current>;
  },
): Promise<number> {
  for (let attempt = 0, reading = current; attempt < WRITE_ATTEMPTS; attempt++) {
    let before: Current;
    let outcome: Outcome;
    try {
      before = await reading;
      checkReplace(key, before, precondition, context.now());
      outcome = await commitInfo(context, stream, key, { nuid, message, expect: before.sequence });
    } catch (cause) {
      if (!(cause instanceof Unanswered)) await discardGroup(context, stream, nuid);
      throw cause;
    }
    switch (outcome.kind) {
      case "committed":
        await freeReplaced(context, stream, key, before);
        return outcome.sequence;
      case "refused":
        reading = readCurrent(context, stream, key);
        break;
      case "overtaken":
        await trashGroup(context, stream, key, nuid);
        throw overtakenError(key, precondition);
    }
  }
  await discardGroup(context, stream, nuid);
  throw new S3Error("SlowDown", { Key: key });
}

/** Deletes an object; a missing one is no error and leaves no message. */
export async function deleteObject(
  context: ObjectsContext,
  bucket: BucketName,
  key: ObjectKey,
  precondition: WritePrecondition,
): Promise<void> {
  const stream = await context.streams.prepare(bucket);
  for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
    const before = await readCurrent(context, stream, key);
    checkReplace(key, before, precondition, context.now());
    if (before.parsed.kind === "absent") return;
    const marker = newNuid(key); // never names chunks, so that a repeated commit is recognised as ours
    const message = formatTombstone(stream.store, key, marker, context.now());
    const tombstone = {
      nuid: marker,
      message,
      expect: before.sequence,
      ...(stream.prepared && { ttl: TOMBSTONE_TTL }),
    };
    try {
      const outcome = await commitInfo(context, stream, key, tombstone);
      if (outcome.kind === "refused") continue;
      await freeReplaced(context, stream, key, before);
      if (outcome.kind === "overtaken") throw overtakenError(key, precondition);
    } catch (cause) {
      if (!isFull(cause)) throw cause;
      if (!await context.streams.deleteMessage(stream.stream, before.sequence)) continue;
      await afterFullDelete(context, stream, key, before.nuid, tombstone);
    }
    return;
  }
  throw new S3Error("SlowDown", { Key: key });
}

/**
 * Nothing could be written, so the object info was deleted by its sequence. That tells nobody: its bytes are purged here
 * and now, which makes room for the message that does.
 */
async function afterFullDelete(
  context: ObjectsContext,
  stream: BucketStream,
  key: ObjectKey,
  nuid: Nuid | undefined,
  tombstone: Parameters<typeof commitInfo>[3],
): Promise<void> {
  context.doubt(stream.bucket, key);
  try {
    const leased = nuid === undefined || (await leasedGroups(context, stream)).has(nuid);
    // What is left here is the sweep's.
    if (nuid !== undefined && !leased && isNuidOf(nuid, key)) {
      await purgeGroup(context, stream, nuid);
    }
    await commitInfo(context, stream, key, { ...tombstone, expect: 0 });
  } catch (cause) {
    context.log.warn("delete in a full bucket left something to the sweep", {
      bucket: stream.bucket,
      key,
      cause,
    });
  }
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
