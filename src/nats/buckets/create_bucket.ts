/**
 * CreateBucket: creates a bucket's stream, and records whose it is.
 * @module
 */

import { isS3Error, S3Error } from "../../s3/errors.ts";
import { type BucketName, isS3BucketName } from "../../s3/names.ts";
import type { NewBucket } from "../../store/buckets.ts";
import { isConflict, JetStreamCode, JetStreamError } from "../jetstream/errors.ts";
import { formatOwner } from "../layout/bucket_documents.ts";
import { type StoreName, storeOf } from "../layout/names.ts";
import { records } from "../layout/subjects.ts";
import { type OwnerContext, ownerOf } from "./buckets.ts";
import type { BucketsContext } from "./context.ts";
import { readDecision } from "./deletion_lock.ts";
import {
  BLOCKED_LAYOUT_RECORD,
  stateLayoutVersion,
  VERSIONS_LAYOUT_RECORD,
} from "./layout_version.ts";
import type { BucketStream, Streams } from "./streams.ts";
import { checkKeeps } from "./versioning.ts";

/** How often a bucket is looked at that has no owner. */
const ATTEMPTS = 2;

type CreateContext = OwnerContext & Pick<BucketsContext, "requests" | "streams">;

/**
 * Creates a bucket. It belongs to the first caller who is recorded as its owner. Its documents are stored in one atomic
 * batch with that record, so nobody sees the bucket with some of them.
 *
 * @throws S3Error `ServiceUnavailable` if no server fits the placement of the location; `OperationAborted` beside another
 * CreateBucket whose owner is not stored yet; `InvalidBucketState` for versioning in a stream that removes messages by itself
 */
export async function createBucket(
  context: CreateContext,
  bucket: BucketName,
  owner: string,
  given: NewBucket = {},
): Promise<void> {
  const store = storeOf(bucket);
  if (store === undefined || !isS3BucketName(bucket)) {
    throw new S3Error("InvalidBucketName", { BucketName: bucket });
  }
  for (let attempt = 1;; attempt++) {
    const made = await makeOwned(context, bucket, store, owner, given);
    if (made === "made") return;
    await checkIsBucket(context, bucket);
    const document = await context.documents.readNow(store, "owner");
    // The bucket may have been made anew since, and its owner is not recorded yet.
    if (document === undefined && attempt < ATTEMPTS) continue;
    // The record of another CreateBucket is on its way to the copies.
    if (document === undefined && made === "contested") {
      throw new S3Error("OperationAborted", { BucketName: bucket });
    }
    const holder = ownerOf(context, store, document);
    const { account } = given;
    const isByKey = account === undefined || holder?.account === undefined;
    const isOwn = isByKey ? holder?.accessKeyId === owner : holder.account === account;
    throw new S3Error(isOwn ? "BucketAlreadyOwnedByYou" : "BucketAlreadyExists", {
      BucketName: bucket,
    });
  }
}

/** What became of making a bucket. */
type Made =
  | "made"
  /** There is one that is or may be owned. */
  | "exists"
  /** JetStream knows of another record of the owner, which may not be stored yet. */
  | "contested";

/** Makes a bucket, or finishes one that was begun. */
async function makeOwned(
  context: CreateContext,
  bucket: BucketName,
  store: StoreName,
  owner: string,
  given: NewBucket,
): Promise<Made> {
  const { requests, streams } = context;
  const exists = await finishDeletion(context, bucket);
  const record = formatOwner({ accessKeyId: owner, account: given.account });
  if (!await createPlaced(streams, store, exists, record, given.location)) return "exists";
  // An operator may have prepared the stream, or changed one that was begun.
  if (given.documents?.has("versioning") === true) checkKeeps(await streams.read(bucket));
  try {
    await writeFirstRecords(context, store, record, given);
    if (layoutRecordFor(given.documents) === undefined) await stateLayoutVersion(requests, store);
    await dropOldLock(context, await streams.read(bucket));
    return "made";
  } catch (cause) {
    if (!isConflict(cause)) throw cause;
    return "contested";
  }
}

/** Records the owner, the documents if there are any, and the revision by which gateways tell the bucket from a former one. */
async function writeFirstRecords(
  { requests, documents: known }: Pick<CreateContext, "requests" | "documents">,
  store: StoreName,
  data: string,
  { documents = new Map() }: NewBucket,
): Promise<void> {
  const subject = records.bucket(store, "owner");
  const record = layoutRecordFor(documents);
  const layout = record === undefined
    ? []
    : [{ subject: records.bucket(store, "layout"), data: record }];
  // Behind a public access block, so that the first policy waits for gateways that saw the bucket before.
  const isFirst = documents.has("versioning");
  if (documents.size === 0) {
    // A stream that a native client made may take no batches.
    await requests.publish(subject, data, { expect: 0 });
    await requests.publish(records.bucket(store, "rev"), "", { rollup: true });
    return;
  }
  try {
    await requests.publishBatch([
      { subject, data, expect: 0 },
      ...(isFirst ? layout : []),
      ...Array.from(documents, ([kind, data]) => ({ subject: records.bucket(store, kind), data })),
      ...(isFirst ? [] : layout),
      { subject: records.bucket(store, "rev"), data: "" },
    ]);
  } finally {
    known.forget(store);
  }
}

/** Returns the record of the layout's version that documents need; undefined if they need none. */
function layoutRecordFor(documents: NewBucket["documents"]): string | undefined {
  if (documents?.has("versioning") === true) return VERSIONS_LAYOUT_RECORD;
  return documents?.has("publicAccessBlock") === true ? BLOCKED_LAYOUT_RECORD : undefined;
}

/** Creates the stream, and says so if its location is the reason that it cannot be. */
async function createPlaced(
  streams: Streams,
  store: StoreName,
  exists: boolean,
  creator: string,
  location: string | undefined,
): Promise<boolean> {
  try {
    return await streams.create(store, exists, creator, location);
  } catch (cause) {
    const isUnplaced = location !== undefined && cause instanceof JetStreamError &&
      cause.code === JetStreamCode.NoSuitablePeers;
    if (!isUnplaced) throw cause;
    throw new S3Error("ServiceUnavailable", { LocationConstraint: location }, {
      cause,
      message: `No NATS server fits the placement of ${location}.`,
    });
  }
}

/**
 * Refuses a name that a stream has which is not a bucket, such as a mirror of another stream.
 *
 * @throws S3Error `BucketAlreadyExists`; `OperationAborted` if the stream has just been deleted
 */
async function checkIsBucket(
  { streams }: Pick<BucketsContext, "streams">,
  bucket: BucketName,
): Promise<void> {
  try {
    await streams.read(bucket);
  } catch (cause) {
    if (!isS3Error(cause, "NoSuchBucket")) throw cause;
    const isGone = cause.cause instanceof JetStreamError; // there is no stream
    const code = isGone ? "OperationAborted" : "BucketAlreadyExists";
    throw new S3Error(code, { BucketName: bucket }, { cause });
  }
}

/**
 * Deletes a bucket whose deletion was decided but got no response, so that it can be created again.
 *
 * @returns whether there is a bucket now
 */
async function finishDeletion(
  context: Pick<BucketsContext, "requests" | "streams">,
  bucket: BucketName,
): Promise<boolean> {
  let stream: BucketStream;
  try {
    stream = await context.streams.read(bucket);
  } catch (cause) {
    if (isS3Error(cause, "NoSuchBucket")) return false;
    throw cause;
  }
  if (!stream.fenced) return true;
  const decided = await readDecision(context, stream);
  if (decided === undefined) throw new S3Error("OperationAborted", { BucketName: bucket });
  await context.streams.delete(stream, decided);
  return false;
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
