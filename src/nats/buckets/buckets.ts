/**
 * Buckets on JetStream: each is a stream with a record of its owner.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import { isS3Error, S3Error } from "../../s3/errors.ts";
import { compareUtf8 } from "../../s3/key_order.ts";
import { type BucketName, isS3BucketName } from "../../s3/names.ts";
import type { BucketInfo } from "../../store/buckets.ts";
import { isConflict } from "../jetstream/errors.ts";
import { bucketOf, storeOf } from "../layout/names.ts";
import { records } from "../layout/subjects.ts";
import type { BucketsContext } from "./context.ts";
import { lockDeletion, readDecision } from "./deletion_lock.ts";
import type { Document, DocumentedBucket } from "./documents.ts";
import { type BucketStream, LAYOUT_RECORD } from "./streams.ts";

type OwnerContext = Pick<BucketsContext, "documents" | "defaultOwner">;
type CreateContext = Pick<BucketsContext, "requests" | "streams" | "documents" | "defaultOwner">;
type DeleteContext = Pick<BucketsContext, "requests" | "streams" | "log">;

/** Seconds for which a gateway that deletes a bucket keeps writers out, unless it renews the fence. */
const FENCE_SECONDS = 30;
/** Number of owners that are read at once. */
const OWNERS_AT_ONCE = 32;

/** Lists all buckets by name. */
export async function listBuckets(
  context: OwnerContext & Pick<BucketsContext, "streams">,
): Promise<readonly BucketInfo[]> {
  const streams = await context.streams.list();
  const buckets = await mapAtOnce(streams, OWNERS_AT_ONCE, async (stream) => {
    const name = bucketOf(stream.store);
    if (name === undefined) return [];
    const owner = await readOwner(context, stream).catch(() => undefined);
    return [{ name, created: stream.created, owner }];
  });
  return buckets.flat().sort((a, b) => compareUtf8(a.name, b.name));
}

/** Creates a bucket. It belongs to the first caller who is recorded as its owner. */
export async function createBucket(
  context: CreateContext,
  bucket: BucketName,
  owner: string,
): Promise<void> {
  const store = storeOf(bucket);
  if (store === undefined || !isS3BucketName(bucket)) {
    throw new S3Error("InvalidBucketName", { BucketName: bucket });
  }
  const { requests, streams, documents } = context;
  await finishDeletion(context, bucket);
  if (await streams.create(store)) {
    try {
      await requests.publish(records.bucket(store, "owner"), JSON.stringify({ owner }), {
        expect: 0,
      });
      await requests.publish(records.bucket(store, "layout"), LAYOUT_RECORD, { rollup: true });
      await dropOldLock(context, await streams.read(bucket));
      return;
    } catch (cause) {
      if (!isConflict(cause)) throw cause; // a repeated CreateBucket finds the stream and goes on
    }
  }
  const holder = ownerOf(context, await documents.readNow(store, "owner"));
  throw new S3Error(holder === owner ? "BucketAlreadyOwnedByYou" : "BucketAlreadyExists", {
    BucketName: bucket,
  });
}

/** Deletes a bucket whose deletion was decided but got no response, so that it can be created again. */
async function finishDeletion(
  context: Pick<BucketsContext, "requests" | "streams">,
  bucket: BucketName,
): Promise<void> {
  let stream: BucketStream;
  try {
    stream = await context.streams.read(bucket);
  } catch (cause) {
    if (isS3Error(cause, "NoSuchBucket")) return;
    throw cause;
  }
  if (!stream.fenced) return;
  const decided = await readDecision(context, stream);
  if (decided === undefined) throw new S3Error("OperationAborted", { BucketName: bucket });
  await context.streams.delete(bucket, stream.store, decided);
}

/** Removes the lock under which an earlier stream was deleted if the new one came up with it, see Streams.delete(). */
async function dropOldLock(
  { requests, streams }: Pick<BucketsContext, "requests" | "streams">,
  { store, stream, created }: BucketStream,
): Promise<void> {
  const lock = await requests.leaderGet(stream, { last_by_subj: records.lock(store, "delete") });
  if (lock === undefined || lock.time >= created) return;
  await streams.deleteMessage(stream, lock.sequence);
}

/** Reads a bucket. Throws `NoSuchBucket`. */
export async function readBucket(
  context: OwnerContext & Pick<BucketsContext, "streams">,
  bucket: BucketName,
): Promise<BucketInfo> {
  const stream = await context.streams.read(bucket);
  return { name: bucket, created: stream.created, owner: await readOwner(context, stream) };
}

/** Returns whether a bucket exists, or did at most three seconds ago. */
export async function hasBucket(
  { streams }: Pick<BucketsContext, "streams">,
  bucket: BucketName,
): Promise<boolean> {
  try {
    await streams.get(bucket);
    return true;
  } catch (cause) {
    if (isS3Error(cause, "NoSuchBucket")) return false;
    throw cause;
  }
}

/** Tells whether a bucket holds no object, as of now. */
export type IsEmpty = (bucket: BucketName) => Promise<boolean>;

/** Deletes a bucket without objects. */
export async function deleteBucket(
  context: DeleteContext,
  isEmpty: IsEmpty,
  bucket: BucketName,
): Promise<void> {
  if (!await isEmpty(bucket)) throw new S3Error("BucketNotEmpty", { BucketName: bucket });
  await deleteFenced(context, isEmpty, await context.streams.prepare(bucket));
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
  const { bucket, store, prepared } = stream;
  const { streams } = context;
  // A stream that cannot be changed has neither lock nor fence: it is sealed, so nobody writes to it.
  if (!prepared) return await streams.delete(bucket, store);
  const lock = await lockDeletion(context, stream, FENCE_SECONDS);
  if (lock === undefined) {
    const decided = await readDecision(context, stream);
    const { fenced } = await streams.read(bucket);
    // An earlier deletion got no response. The bucket is still empty behind its fence.
    if (decided !== undefined && fenced) return await streams.delete(bucket, store, decided);
    // The lock was stored after its gateway had given up.
    if (decided !== undefined) await streams.purge(stream.stream, records.lock(store, "delete"));
    throw new S3Error("OperationAborted", { BucketName: bucket });
  }
  let decided = false;
  try {
    await streams.fence(bucket, store);
    // Everything that was accepted before the fence is stored before this.
    if (!await lock.renew()) throw new S3Error("OperationAborted", { BucketName: bucket });
    if (!await isEmpty(bucket)) throw new S3Error("BucketNotEmpty", { BucketName: bucket });
    // JetStream may carry out a deletion later than it responds: once we request it, nobody may write here again.
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
  context: OwnerContext,
  stream: DocumentedBucket,
): Promise<string | undefined> {
  return ownerOf(context, await context.documents.read(stream, "owner"));
}

/** Returns the owner that a record names, or the default. Throws the error that made the record unreadable. */
function ownerOf(
  { defaultOwner }: Pick<BucketsContext, "defaultOwner">,
  document: Document<"owner"> | undefined,
): string | undefined {
  if (document?.kind === "unreadable") throw document.cause;
  return document?.value ?? defaultOwner;
}
