/**
 * Buckets on JetStream: each is a stream with a record of its owner.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import { isS3Error } from "../../s3/errors.ts";
import { compareUtf8 } from "../../s3/key_order.ts";
import type { BucketName } from "../../s3/names.ts";
import type { BucketInfo, BucketOwner } from "../../store/buckets.ts";
import { bucketOf, type StoreName } from "../layout/names.ts";
import { records } from "../layout/subjects.ts";
import type { BucketsContext } from "./context.ts";
import type { Document, DocumentedBucket } from "./documents.ts";

/** Fields of a context that reading an owner needs. */
export type OwnerContext = Pick<BucketsContext, "documents" | "defaultOwner" | "reportUnreadable">;

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
    return [{ name, created: stream.created, ...shownOwner(owner), location: stream.location }];
  });
  return buckets.flat().sort((a, b) => compareUtf8(a.name, b.name));
}

/** Reads a bucket. Throws `NoSuchBucket`. */
export async function readBucket(
  context: OwnerContext & Pick<BucketsContext, "streams">,
  bucket: BucketName,
): Promise<BucketInfo> {
  const stream = await context.streams.read(bucket);
  const { created, location } = stream;
  return { name: bucket, created, ...shownOwner(await readOwner(context, stream)), location };
}

/** Returns to whom a bucket belonged at most a second ago. Throws `NoSuchBucket`. */
export async function readBucketOwner(
  context: OwnerContext & Pick<BucketsContext, "streams">,
  bucket: BucketName,
): Promise<BucketOwner | undefined> {
  const { store, created } = await context.streams.get(bucket);
  return await readOwner(context, { store, created, lastStamp: "0" });
}

/** Returns the owner that is recorded, if the record is known to be current. */
export function knownBucketOwner(
  { streams, documents }: Pick<BucketsContext, "streams" | "documents">,
  bucket: BucketName,
): BucketOwner | undefined {
  const stream = streams.current(bucket);
  const document = stream && documents.current(stream, "owner");
  return document?.kind === "value" ? document.value : undefined;
}

function shownOwner(owner: BucketOwner | undefined): Pick<BucketInfo, "owner" | "account"> {
  return { owner: owner?.accessKeyId, account: owner?.account };
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

/** Returns the owner of a bucket; undefined if it has none, or one that nobody can read. */
export async function readOwner(
  context: OwnerContext,
  stream: DocumentedBucket,
): Promise<BucketOwner | undefined> {
  return ownerOf(context, stream.store, await context.documents.read(stream, "owner"));
}

/**
 * Returns the owner that a record names, or the default if there is no record or it names none. A bucket whose record is
 * unreadable has an owner, but nobody knows which: it is not the default one.
 */
export function ownerOf(
  { defaultOwner, reportUnreadable }: Omit<OwnerContext, "documents">,
  store: StoreName,
  document: Document<"owner"> | undefined,
): BucketOwner | undefined {
  if (document?.kind !== "unreadable") {
    if (document?.value !== undefined || defaultOwner === undefined) return document?.value;
    return { accessKeyId: defaultOwner, account: undefined };
  }
  const bucket = bucketOf(store);
  if (bucket !== undefined) {
    reportUnreadable(bucket, "bucket", records.bucket(store, "owner"), document.reason);
  }
  return undefined;
}
