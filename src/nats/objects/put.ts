/**
 * Stores an object: first its chunks, then one message of object info that names them.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { Received } from "../../store/content.ts";
import { checkNewLock, lockFrom } from "../../store/new_lock.ts";
import type { KeptFacts, ObjectInfo, ObjectInput } from "../../store/objects.ts";
import { sourceOf } from "../../streams/byte_source.ts";
import { monotonic } from "../../world/world.ts";
import { checkRoom } from "../buckets/quota.ts";
import { compareSequences } from "../buckets/sequences.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { newNuid, type Nuid } from "../layout/nuid.ts";
import { chunkSubject } from "../layout/chunk_subjects.ts";
import { records, VERSIONS_LAYOUT } from "../layout/subjects.ts";
import type { VersionFacts } from "../layout/version_facts.ts";
import { writeChunks, type WriterNeeds } from "./chunk_writer.ts";
import { checkReplace } from "./check_replace.ts";
import { type Current, peekCurrent, readBefore, readCurrent } from "./current.ts";
import { describeGroup, mapLimit } from "./describe.ts";
import { checkCount, type CountNeeds } from "./object_count.ts";
import { replace } from "./replace.ts";
import type { Change, ReplaceNeeds } from "./replacement.ts";
import { takeTurn, type Turn } from "./new_version.ts";
import { checkRetention } from "./retention.ts";
import { notBefore } from "./version_times.ts";
import { discardGroup } from "./trash.ts";

/** Milliseconds after which a write into a stream of low sequences also checks that its bucket is still the same. */
const SLOW_WRITE = 1000;

/** Stores an object. */
export async function putObject(
  needs: ReplaceNeeds & WriterNeeds & CountNeeds,
  bucket: BucketName,
  key: ObjectKey,
  { content, properties, owner, precondition, lock, keeps, signal }: ObjectInput,
): Promise<ObjectInfo> {
  let stream: BucketStream;
  let current: Promise<Current>;
  let turn: Promise<Turn> | undefined;
  try {
    stream = await needs.streams.prepare(bucket);
    if (stream.fenced) throw new S3Error("OperationAborted", { BucketName: bucket });
    await checkRoom(needs, stream, content.size);
    if (stream.objectLimit !== Infinity) await checkCount(needs, stream, key);
    // That there is no object fails these conditions, but leads any other write to its commit, which finds out.
    const { ifMatch, ifVersion } = precondition;
    const look = ifMatch === undefined && ifVersion === undefined ? peekCurrent : readCurrent;
    checkNewLock(lock, needs.now());
    current = readBefore(needs, stream, key, look);
    const keepsVersions = stream.layout >= VERSIONS_LAYOUT;
    // A condition that already fails is reported before the body is read. Otherwise both are read at the same time.
    if (Object.keys(precondition).length > 0) {
      const guard = keepsVersions ? undefined : checkRetention;
      checkReplace(key, await current, precondition, guard, needs.now());
    } else current.catch(() => {});
    if (keepsVersions) {
      // The version before is archived while the body arrives.
      turn = takeTurn(needs, stream, key, current, () => {});
      turn.catch(() => {});
    }
  } catch (cause) {
    await sourceOf(content.stream).cancel().catch(() => {});
    throw cause;
  }

  const nuid = newNuid(key);
  const began = monotonic();
  let describe: (before: Current | undefined, version?: VersionFacts) => Change<ObjectInfo>;
  let change: Change<ObjectInfo>;
  let sequences: readonly number[];
  try {
    const subject = chunkSubject(stream.store, nuid);
    const written = await writeChunks(needs, subject, content, signal);
    const { received } = written;
    sequences = written.sequences;
    content.verify(received);
    signal?.throwIfAborted();
    const now = needs.now();
    const limit = mapLimit(needs.requests);
    const { store } = stream;
    let map: string | undefined;
    describe = (before, version) => {
      const modified = version === undefined ? now : notBefore(now, before);
      const info: ObjectInfo = {
        key,
        size: received.size,
        etag: received.md5,
        modified,
        properties,
        checksum: checksumOf(content.algorithm, received),
        owner,
        partSizes: undefined,
        ...lockFrom(lock, modified),
        ...(version !== undefined && { versionId: version.id }),
        ...(keeps !== undefined && factsOf(keeps)),
      };
      let described = describeGroup(store, nuid, { ...info, version }, written, limit);
      if (described.chunkMap !== undefined && described.chunkMap.length > limit) {
        // The sizes of parts are left out before the object cannot be stored.
        const { partSizes: _1, partChecksums: _2, ...others } = info;
        const bare = { ...others, partSizes: undefined, version };
        described = describeGroup(store, nuid, bare, written, limit);
      }
      map = described.chunkMap;
      const lastChunk = written.sequences.at(-1);
      return { kind: "object", nuid, message: described.message, lastChunk, result: info };
    };
    change = describe(undefined);
    if (map !== undefined) {
      await needs.requests.publish(records.layout(store, nuid), map, { rollup: true });
    }
  } catch (cause) {
    await discardGroup(needs, stream, nuid);
    throw cause;
  }
  let attempts = 0;
  const { sequence, result } = await replace(needs, stream, key, {
    current,
    turn,
    makesVersion: true,
    // Object info that was read at the beginning is of the stream that has the first chunk, or of none.
    describe(before, _, version) {
      const now = version === undefined ? change : describe(before, version);
      return attempts++ === 0 && monotonic() - began <= SLOW_WRITE
        ? now
        : inSameBucket(needs, stream, now);
    },
    precondition,
    guard: checkRetention,
    newGroup: nuid,
  });
  const isLong = sequences.length > 1 || monotonic() - began > SLOW_WRITE;
  if (sequence !== 0 && !await isInOneStream(needs, stream, [...sequences, sequence], isLong)) {
    await takeBack(needs, stream, sequence, nuid);
  }
  return result;
}

function factsOf({ etag, checksum, partSizes, partChecksums }: KeptFacts): KeptFacts {
  return { etag, checksum, partSizes, ...(partChecksums !== undefined && { partChecksums }) };
}

function checksumOf(
  algorithm: ObjectInput["content"]["algorithm"],
  { checksum }: Received,
): ObjectInfo["checksum"] {
  if (algorithm === undefined || checksum === undefined) return undefined;
  return { algorithm, value: checksum, type: "FULL_OBJECT" };
}

/**
 * Returns a change if the bucket is still the one that has the chunks. Otherwise the change would replace an object of
 * another bucket of this name, which nobody could bring back.
 *
 * @throws S3Error `ServiceUnavailable`
 */
async function inSameBucket<T>(
  { streams }: Pick<ReplaceNeeds, "streams">,
  { bucket, created }: BucketStream,
  change: T,
): Promise<T> {
  if ((await streams.read(bucket)).created.getTime() === created.getTime()) return change;
  throw madeAnew(bucket);
}

/**
 * Tells whether the chunks and the object info went to one stream. If the bucket was deleted and created again while the
 * body arrived, the new stream has the object info but not the chunks.
 *
 * @param sequences Those of the chunks and, last, that of the object info.
 * @param isLong The write took long enough for another stream to receive as many messages.
 */
async function isInOneStream(
  { streams }: Pick<ReplaceNeeds, "streams">,
  { bucket, created }: BucketStream,
  sequences: readonly number[],
  isLong: boolean,
): Promise<boolean> {
  const [first = 0, beforeLast = 0] = [sequences[0], sequences.at(-2)];
  const last = sequences.at(-1) ?? 0;
  if (sequences.length === 1) return true; // the object is empty
  if (last <= beforeLast) return false;
  const proof = compareSequences(first, last);
  if (proof === "one stream" || (proof === "either" && !isLong)) return true;
  return (await streams.read(bucket)).created.getTime() === created.getTime();
}

/**
 * Removes object info whose chunks are missing.
 *
 * @throws S3Error `ServiceUnavailable`
 */
async function takeBack(
  needs: ReplaceNeeds,
  stream: BucketStream,
  sequence: number,
  nuid: Nuid,
): Promise<never> {
  await needs.streams.deleteMessage(stream.stream, sequence);
  await discardGroup(needs, stream, nuid);
  throw madeAnew(stream.bucket);
}

function madeAnew(bucket: BucketName): S3Error {
  return new S3Error("ServiceUnavailable", { BucketName: bucket }, {
    message: "The bucket was deleted and created again during the request.",
  });
}
