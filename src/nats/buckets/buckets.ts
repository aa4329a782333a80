/**
 * Buckets on JetStream: a stream each, and a record of who made it.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import { isS3Error, S3Error } from "../../s3/errors.ts";
import { compareUtf8 } from "../../s3/listing.ts";
import { type BucketName, isS3BucketName } from "../../s3/names.ts";
import type { BucketInfo } from "../../store/store.ts";
import type { BucketsContext } from "./context.ts";
import { isConflict } from "../jetstream/errors.ts";
import { bucketOf, type StoreName, storeOf, streamOf } from "../layout/names.ts";
import { records } from "../layout/subjects.ts";
import { textOf } from "../jetstream/messages.ts";
import { type BucketStream, LAYOUT_RECORD } from "./streams.ts";
import { lockTask, readKeptLock } from "./lock.ts";

/** For how long a gateway that deletes a bucket keeps writers out, unless it goes on. */
const FENCE_SECONDS = 30;
/** Owners that are looked up at once. */
const CONCURRENCY = 32;

/** All buckets, by name. */
export async function listBuckets(context: BucketsContext): Promise<readonly BucketInfo[]> {
  const streams = await context.streams.list();
  const buckets = await mapAtOnce(streams, CONCURRENCY, async ({ store, created }) => {
    const name = bucketOf(store);
    if (name === undefined) return [];
    return [{ name, created, owner: await readOwner(context, store).catch(() => undefined) }];
  });
  return buckets.flat().sort((a, b) => compareUtf8(a.name, b.name));
}

/** Makes a bucket. Whoever records himself as its owner first has it. */
export async function createBucket(
  context: BucketsContext,
  bucket: BucketName,
  owner: string,
): Promise<void> {
  const store = storeOf(bucket);
  if (store === undefined || !isS3BucketName(bucket)) {
    throw new S3Error("InvalidBucketName", { BucketName: bucket });
  }
  await finishDeletion(context, bucket);
  const fresh = await context.streams.create(store);
  if (fresh) {
    try {
      await context.requests.publish(records.bucket(store, "owner"), JSON.stringify({ owner }), {
        expect: 0,
      });
      await context.requests.publish(records.bucket(store, "layout"), LAYOUT_RECORD, {
        rollup: true,
      });
      await dropOldLock(context, await context.streams.read(bucket));
      return;
    } catch (cause) {
      if (!isConflict(cause)) throw cause; // a repeated CreateBucket finds the stream and goes on
    }
  }
  const holder = await readOwner(context, store);
  throw new S3Error(holder === owner ? "BucketAlreadyOwnedByYou" : "BucketAlreadyExists", {
    BucketName: bucket,
  });
}

/** Deletes a bucket whose deletion was decided and got no answer, so that it can be made again. */
async function finishDeletion(context: BucketsContext, bucket: BucketName): Promise<void> {
  let stream: BucketStream;
  try {
    stream = await context.streams.read(bucket);
  } catch (cause) {
    if (isS3Error(cause, "NoSuchBucket")) return;
    throw cause;
  }
  if (!stream.fenced) return;
  const decided = await readKeptLock(context, stream, "delete");
  if (decided === undefined) throw new S3Error("OperationAborted", { BucketName: bucket });
  await context.streams.delete(bucket, stream.store, decided);
}

/** A new stream may come up with the lock under which the one before it was deleted: see Streams.delete(). */
async function dropOldLock(context: BucketsContext, stream: BucketStream): Promise<void> {
  const lock = await context.requests.leaderGet(stream.stream, {
    last_by_subj: records.lock(stream.store, "delete"),
  });
  if (lock === undefined || lock.time >= stream.created) return;
  await context.streams.deleteMessage(stream.stream, lock.sequence);
}

/** A bucket. Throws `NoSuchBucket`. */
export async function readBucket(context: BucketsContext, bucket: BucketName): Promise<BucketInfo> {
  const { store, created } = await context.streams.read(bucket);
  return { name: bucket, created, owner: await readOwner(context, store) };
}

/** Tells whether a bucket holds no object, as of now. */
export type IsEmpty = (bucket: BucketName) => Promise<boolean>;

/** Deletes a bucket without objects. */
export async function deleteBucket(
  context: BucketsContext,
  isEmpty: IsEmpty,
  bucket: BucketName,
): Promise<void> {
  if (!await isEmpty(bucket)) throw new S3Error("BucketNotEmpty", { BucketName: bucket });
  await deleteFenced(context, isEmpty, await context.streams.prepare(bucket));
}

/**
 * Deletes a bucket that was empty a moment ago. The fence keeps out writers, so that what is found empty behind it is
 * empty when it is deleted; a gateway that dies in between leaves a fence that falls with its lock, unless it was about to
 * delete: then the bucket stays as it is until somebody deletes it again.
 */
async function deleteFenced(
  context: BucketsContext,
  isEmpty: IsEmpty,
  stream: BucketStream,
): Promise<void> {
  const { bucket, store, prepared } = stream;
  const { streams } = context;
  // A stream that cannot be changed has no lock and no fence: it is sealed, so nobody writes to it.
  if (!prepared) return await streams.delete(bucket, store);
  const lock = await lockTask(context, stream, "delete", FENCE_SECONDS);
  if (lock === undefined) {
    const decided = await readKeptLock(context, stream, "delete");
    const { fenced } = await streams.read(bucket);
    // One before got no answer. The bucket is empty still, behind its fence.
    if (decided !== undefined && fenced) return await streams.delete(bucket, store, decided);
    // The lock landed after its gateway had given up.
    if (decided !== undefined) await streams.purge(stream.stream, records.lock(store, "delete"));
    throw new S3Error("OperationAborted", { BucketName: bucket });
  }
  let decided = false;
  try {
    await streams.fence(bucket, store);
    // What was taken in before the fence is stored before this.
    if (!await lock.renew()) throw new S3Error("OperationAborted", { BucketName: bucket });
    if (!await isEmpty(bucket)) {
      throw new S3Error("BucketNotEmpty", { BucketName: bucket });
    }
    // A deletion without an answer may yet be carried out: once it was asked for, nobody may write here again.
    if (!await lock.keep()) throw new S3Error("OperationAborted", { BucketName: bucket });
    decided = true;
    await streams.delete(bucket, store, lock.sequence);
  } finally {
    if (!decided) {
      await streams.unfence(bucket, store).catch((cause) => {
        context.log.warn("fence was not taken down and falls with its lock", { bucket, cause });
      });
      await lock.release().catch(() => {}); // it expires
    }
  }
}

async function readOwner(
  { requests, defaultOwner }: BucketsContext,
  store: StoreName,
): Promise<string | undefined> {
  const record = await requests.leaderGet(streamOf(store), {
    last_by_subj: records.bucket(store, "owner"),
  });
  if (record === undefined) return defaultOwner;
  const { owner } = JSON.parse(textOf(record.data)) as { readonly owner?: unknown };
  return typeof owner === "string" ? owner : defaultOwner;
}
