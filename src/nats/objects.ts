/**
 * Objects on JetStream: chunks first, then one metadata message, and the replaced group into the trash.
 * @module
 */

import type { WritePrecondition } from "../s3/conditions.ts";
import { S3Error } from "../s3/errors.ts";
import type { BucketName, ObjectKey } from "../s3/names.ts";
import type { ByteRange } from "../s3/range.ts";
import type { ChooseRange, ObjectContent, ObjectInfo, ObjectInput } from "../store/store.ts";
import {
  ChunksMissing,
  type KnownGroup,
  type Piece,
  piecesOf,
  readPiece,
  readPieces,
  streamOfPieces,
  uniformOffsets,
  verified,
  walkGroup,
} from "./chunk_reader.ts";
import { writeChunks } from "./chunk_writer.ts";
import {
  checkReplace,
  commitInfo,
  type Current,
  deleteMessage,
  type Outcome,
  overtakenError,
  readCurrent,
} from "./commit.ts";
import type { Context } from "./context.ts";
import { isFull, Unanswered } from "./errors.ts";
import {
  chunkSubject,
  formatInfo,
  formatTombstone,
  type Nuid,
  type ObjectBytes,
  partChunkSubject,
  records,
  type StoredObject,
  TOMBSTONE_TTL,
} from "./layout.ts";
import { formatLayout, type Layout, parseLayout } from "./layout_record.ts";
import { isNuidOf, newNuid } from "./nuid.ts";
import { checkRoom } from "./quota.ts";
import { textOf } from "./requests.ts";
import { formatSequences, parseSequences } from "./seek.ts";
import type { BucketStream } from "./streams.ts";
import { discardGroup, leasedGroups, purgeGroup, trashGroup } from "./trash.ts";

/** Longest seek table that object info holds, in characters. */
const MAX_SEEK_TEXT = 4096;
/** Milliseconds after which a write of one chunk looks whether its bucket is still the one it began in. */
const SLOW = 1000;
/** How often a read begins again because its object was replaced before the first byte. */
const READ_ATTEMPTS = 4;
/** How often a write that conflicts begins again: enough for a crowd of writers on one key. */
const WRITE_ATTEMPTS = 200;

/** An object's metadata. Throws `NoSuchKey`. */
export async function readObject(
  context: Context,
  bucket: BucketName,
  key: ObjectKey,
): Promise<ObjectInfo> {
  const stream = await context.streams.get(bucket);
  const object = existing(context, stream, key, await readCurrent(context, stream, key));
  return await withPartSizes(context, stream, object);
}

/** Metadata and the bytes that `choose` wants. */
export async function getObject(
  context: Context,
  bucket: BucketName,
  key: ObjectKey,
  choose: ChooseRange,
): Promise<ObjectContent> {
  const stream = await context.streams.get(bucket);
  for (let attempt = 1;; attempt++) {
    const object = existing(context, stream, key, await readCurrent(context, stream, key));
    const info = await withPartSizes(context, stream, object);
    const range = choose(info);
    try {
      return { info, range, body: await openBytes(context, stream, object, range) };
    } catch (cause) {
      if (!(cause instanceof ChunksMissing)) throw cause;
      // A native client purges what it replaces at once: then there is a new object to read.
      if (attempt === READ_ATTEMPTS) {
        context.log.warn("object is unreadable", { bucket, key, reason: cause.message });
        throw new S3Error("InternalError", {}, { cause });
      }
    }
  }
}

/** Stores an object. */
export async function putObject(
  context: Context,
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
    await content.stream.cancel().catch(() => {});
    throw cause;
  }

  const nuid = newNuid(key);
  const began = performance.now();
  let info: ObjectInfo;
  let message: string;
  let lastChunk: number;
  let chunks: number;
  try {
    const subject = chunkSubject(stream.store, nuid);
    const written = await writeChunks(context, subject, content, signal);
    const { received, chunkSize, sequences } = written;
    content.verify(received);
    signal.throwIfAborted();
    lastChunk = sequences.at(-1) ?? 0;
    chunks = sequences.length;

    const seek = formatSequences(sequences);
    const long = seek.length > MAX_SEEK_TEXT;
    if (long) {
      const layout = formatLayout({ kind: "seek", sequences });
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
  const long = chunks > 1 || performance.now() - began > SLOW;
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
  context: Context,
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
  await deleteMessage(context, stream, sequence);
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
  context: Context,
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
        await trashGroup(context, stream, key, before.nuid);
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
  context: Context,
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
      await trashGroup(context, stream, key, before.nuid);
      if (outcome.kind === "overtaken") throw overtakenError(key, precondition);
    } catch (cause) {
      if (!isFull(cause)) throw cause;
      if (!await deleteMessage(context, stream, before.sequence)) continue;
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
  context: Context,
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
  { doubt, log }: Context,
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

/** Part sizes that are too many for object info are in the layout record. */
async function withPartSizes(
  context: Context,
  stream: BucketStream,
  { info, bytes }: StoredObject,
): Promise<ObjectInfo> {
  if (bytes.kind !== "parts" || info.partSizes !== undefined) return info;
  const layout = await readLayout(context, stream, bytes.nuid);
  if (layout?.kind !== "parts") return info;
  return { ...info, partSizes: layout.parts.map(({ size }) => size) };
}

async function openBytes(
  context: Context,
  stream: BucketStream,
  { info: { size }, bytes }: StoredObject,
  range: ByteRange | "all" | "nothing",
): Promise<ObjectContent["body"]> {
  if (range === "nothing" || size === 0) return null;
  const start = range === "all" ? 0 : range.start;
  const end = range === "all" ? size : range.end + 1;

  const streamOfHeld = (
    source: AsyncGenerator<Uint8Array<ArrayBuffer>, unknown>,
  ): ReturnType<typeof streamOfPieces> =>
    streamOfPieces(context.leases.during(stream, bytes.nuid, source));

  if (bytes.kind === "parts") {
    return await streamOfHeld(await readParts(context, stream, bytes.nuid, start, end));
  }
  const whole = start === 0 && end === size ? bytes.sha256 : undefined;
  const group = await findGroup(context, stream, bytes, size);
  if (group === undefined) {
    const source = readUnknown(context, stream, bytes, size, start, end);
    return await streamOfHeld(whole === undefined ? source : verified(source, whole));
  }
  if (group.sequences.length === 1) {
    const [piece] = piecesOf(group, start, end);
    if (piece === undefined) throw new ChunksMissing("The range lies beyond the chunks");
    return await onlyPiece(context, piece, whole);
  }
  const source = readPieces(context, piecesOf(group, start, end));
  return await streamOfHeld(whole === undefined ? source : verified(source, whole));
}

async function onlyPiece(
  context: Context,
  piece: Piece,
  sha256: string | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const data = await readPiece(context, piece);
  if (sha256 === undefined) return data;
  for await (const checked of verified(oneOf(data), sha256)) return checked;
  return data;
}

async function* oneOf<T>(value: T): AsyncGenerator<T> {
  yield value;
}

/** Where a group's chunks are, if that is known: its seek table, or an earlier walk. */
async function findGroup(
  context: Context,
  { stream, store }: BucketStream,
  bytes: ObjectBytes & { readonly kind: "group" },
  size: number,
): Promise<KnownGroup | undefined> {
  const { nuid, chunks, chunkSize, seek, seekInLayout } = bytes;
  const cacheKey = `${stream} ${nuid}`;
  const known = context.groups.get(cacheKey);
  if (known !== undefined) return known.offsets.at(-1) === size ? known : undefined;

  const subject = chunkSubject(store, nuid);
  let sequences = parseSequences(seek);
  if (sequences === undefined && seekInLayout) {
    const record = await context.requests.leaderGet(stream, {
      last_by_subj: records.layout(store, nuid),
    });
    const layout = record && parseLayout(textOf(record.data));
    if (layout?.kind === "seek") sequences = layout.sequences;
  }
  const fits = sequences?.length === chunks && chunkSize !== undefined &&
    Math.ceil(size / chunkSize) === chunks;
  if (sequences === undefined || !fits) return undefined;
  const group = { stream, subject, sequences, offsets: uniformOffsets(chunks, chunkSize, size) };
  if (chunks > 1) context.groups.set(cacheKey, group, chunks);
  return group;
}

/** A group that no seek table describes: walked through by subject, once. */
async function* readUnknown(
  context: Context,
  { stream, store }: BucketStream,
  { nuid, chunks }: { readonly nuid: Nuid; readonly chunks: number },
  size: number,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const walk = walkGroup(context, {
    stream,
    subject: chunkSubject(store, nuid),
    size,
    chunks,
  });
  let position = 0;
  for (let step = await walk.next();; step = await walk.next()) {
    if (step.done === true) {
      context.groups.set(`${stream} ${nuid}`, step.value, chunks);
      return;
    }
    const data = step.value;
    const from = Math.max(start - position, 0);
    const to = Math.min(end - position, data.length);
    if (from < to) yield data.subarray(from, to);
    position += data.length;
  }
}

/** The pieces of a multipart object, part after part. */
async function readParts(
  context: Context,
  stream: BucketStream,
  nuid: Nuid,
  start: number,
  end: number,
): Promise<AsyncGenerator<Uint8Array<ArrayBuffer>>> {
  const layout = await readLayout(context, stream, nuid);
  if (layout?.kind !== "parts") throw new ChunksMissing(`There is no layout of "${nuid}"`);
  return pieces(context, stream, nuid, layout, start, end);
}

async function* pieces(
  context: Context,
  { stream, store }: BucketStream,
  nuid: Nuid,
  { parts }: Layout & { readonly kind: "parts" },
  start: number,
  end: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const ranges: { part: typeof parts[number]; from: number; to: number }[] = [];
  let position = 0;
  for (const part of parts) {
    const from = Math.max(start - position, 0);
    const to = Math.min(end - position, part.size);
    if (from < to) ranges.push({ part, from, to });
    position += part.size;
  }
  if (position < end) throw new ChunksMissing(`The parts of "${nuid}" end after ${position} bytes`);

  // Neighbours whose tables are known are read as one run of pieces, so that parts overlap on their way.
  let run: Piece[] = [];
  for (const { part: { number, attempt, size, chunkSize, sequences }, from, to } of ranges) {
    const subject = partChunkSubject(store, nuid, number, attempt);
    if (sequences !== undefined && sequences.length === Math.ceil(size / chunkSize)) {
      const offsets = uniformOffsets(sequences.length, chunkSize, size);
      run.push(...piecesOf({ stream, subject, sequences, offsets }, from, to));
      continue;
    }
    yield* readPieces(context, run);
    run = [];
    const group = { stream, subject, size, chunks: Math.ceil(size / chunkSize) };
    let passed = 0;
    for await (const data of walkGroup(context, group)) {
      const [first, last] = [Math.max(from - passed, 0), Math.min(to - passed, data.length)];
      if (first < last) yield data.subarray(first, last);
      passed += data.length;
      if (passed >= to) break;
    }
  }
  yield* readPieces(context, run);
}

/** The layout record of a nuid; it never changes once an object names it. */
export async function readLayout(
  context: Context,
  { stream, store }: BucketStream,
  nuid: Nuid,
): Promise<Layout | undefined> {
  const cacheKey = `${stream} ${nuid}`;
  const known = context.layouts.get(cacheKey);
  if (known !== undefined) return known;
  const record = await context.requests.leaderGet(stream, {
    last_by_subj: records.layout(store, nuid),
  });
  const layout = record && parseLayout(textOf(record.data));
  if (layout !== undefined) context.layouts.set(cacheKey, layout, record?.data.length ?? 0);
  return layout;
}
