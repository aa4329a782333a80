/**
 * DeleteBucket: deletes a bucket's stream once nobody can write to it any more and it holds no object.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import { records, subjectsOf } from "../layout/subjects.ts";
import type { BucketsContext } from "./context.ts";
import { lockDeletion, readDecision } from "./deletion_lock.ts";
import { keepRenewing, type TaskLock } from "./lock.ts";
import type { BucketStream } from "./streams.ts";

type DeleteContext = Pick<BucketsContext, "requests" | "streams" | "log">;

/** Seconds for which a gateway that deletes a bucket keeps writers out, unless it renews the fence. */
const FENCE_SECONDS = 30;

/** Tells whether a bucket holds no object, as of now. */
export type IsEmpty = (bucket: BucketName) => Promise<boolean>;

/** Deletes a bucket without objects. */
export async function deleteBucket(
  context: DeleteContext,
  isEmpty: IsEmpty,
  bucket: BucketName,
): Promise<void> {
  checkDeletable(await context.streams.read(bucket));
  if (!await isEmpty(bucket)) throw new S3Error("BucketNotEmpty", { BucketName: bucket });
  const stream = await context.streams.prepare(bucket);
  if (stream.sealed) await deleteSealed(context, stream);
  else if (stream.prepared) await deleteFenced(context, isEmpty, stream);
  else throw refusal(bucket, "The bucket's stream cannot be changed to keep writers out.");
}

/**
 * Refuses to delete a stream that holds more than a bucket.
 *
 * @throws S3Error `AccessDenied`
 */
function checkDeletable({ bucket, readOnly, mixed }: BucketStream): void {
  if (readOnly) throw refusal(bucket, "The bucket is a mirror of another bucket.");
  if (mixed) {
    throw refusal(bucket, "The bucket's stream has sources or subjects that are not the bucket's.");
  }
}

/** Refuses to delete a bucket that was made anew since. */
function checkSame({ bucket, created }: BucketStream, now: BucketStream): void {
  if (now.created.getTime() === created.getTime()) return;
  throw new S3Error("OperationAborted", { BucketName: bucket });
}

function refusal(bucket: BucketName, reason: string): S3Error {
  return new S3Error("AccessDenied", { BucketName: bucket }, {
    message: `${reason} Delete the stream with a NATS client if nobody needs it.`,
  });
}

/** Deletes a sealed stream, which has neither lock nor fence and needs none, if it never held an object. */
async function deleteSealed(
  { requests, streams }: DeleteContext,
  stream: BucketStream,
): Promise<void> {
  const { bucket, store } = stream;
  const { chunks, infos } = subjectsOf(store);
  for (const next_by_subj of [infos, chunks]) {
    const found = await requests.leaderGet(stream.stream, { seq: 1, next_by_subj });
    if (found !== undefined) throw new S3Error("BucketNotEmpty", { BucketName: bucket });
  }
  await streams.delete(stream);
}

/**
 * Deletes a bucket that was empty a moment ago.
 *
 * The fence keeps writers out, so a bucket that is found empty behind it is still empty when it is deleted. A gateway that
 * dies in between leaves a fence that falls with its lock. If it had decided to delete, the lock is kept, and the bucket
 * stays fenced until somebody deletes it again.
 */
async function deleteFenced(
  context: DeleteContext,
  isEmpty: IsEmpty,
  stream: BucketStream,
): Promise<void> {
  const { bucket, store } = stream;
  const { streams } = context;
  const lock = await lockDeletion(context, stream, FENCE_SECONDS);
  if (lock === undefined) {
    const decided = await readDecision(context, stream);
    const { fenced } = await streams.read(bucket);
    // An earlier deletion got no response. The bucket is still empty behind its fence.
    if (decided !== undefined && fenced) return await streams.delete(stream, decided);
    // The lock was stored after its gateway had given up.
    if (decided !== undefined) await streams.purge(stream.stream, records.lock(store, "delete"));
    throw new S3Error("OperationAborted", { BucketName: bucket });
  }
  let decided = false;
  try {
    await streams.setFence(bucket, store, true);
    // Everything that was accepted before the fence is stored before this.
    if (!await lock.renew()) throw new S3Error("OperationAborted", { BucketName: bucket });
    if (!await isEmptyWhile(lock, isEmpty, bucket)) {
      throw new S3Error("BucketNotEmpty", { BucketName: bucket });
    }
    // JetStream may carry out a deletion later than it responds: once we request it, nobody may write here again.
    if (!await lock.keep()) throw new S3Error("OperationAborted", { BucketName: bucket });
    // An older change of the stream may have taken the fence down. From now on nobody does.
    const now = await streams.read(bucket);
    if (!now.fenced) throw new S3Error("OperationAborted", { BucketName: bucket });
    checkDeletable(now);
    checkSame(stream, now);
    decided = true;
    await streams.delete(now, lock.sequence);
  } finally {
    if (!decided) await takeDown(context, stream, lock);
  }
}

/** Looks whether a bucket is empty, and holds the lock for as long as that takes. */
async function isEmptyWhile(
  lock: TaskLock,
  isEmpty: IsEmpty,
  bucket: BucketName,
): Promise<boolean> {
  using _ = keepRenewing(lock, FENCE_SECONDS, () => {}); // the next use of the lock notices
  return await isEmpty(bucket);
}

/** Takes a fence down while its lock is held: without the lock it may be another gateway's. */
async function takeDown(
  { streams, log }: DeleteContext,
  { bucket, store }: BucketStream,
  lock: TaskLock,
): Promise<void> {
  try {
    if (await lock.renew()) await streams.setFence(bucket, store, false);
  } catch (cause) {
    log.warn("fence was not taken down and falls with its lock", { bucket, cause });
  }
  await lock.release().catch(() => {}); // it expires
}
