/**
 * Buckets on JetStream: a stream each, and a record of who made it.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import { compareUtf8, listPage } from "../s3/listing.ts";
import { type BucketName, isS3BucketName } from "../s3/names.ts";
import type { BucketInfo } from "../store/store.ts";
import type { Context } from "./context.ts";
import { isConflict } from "./errors.ts";
import type { KeyIndexes } from "./key_index.ts";
import { bucketOf, records, type StoreName, storeOf, streamOf } from "./layout.ts";
import { textOf } from "./requests.ts";
import { LAYOUT } from "./streams.ts";

/** Owners that are looked up at once. */
const CONCURRENCY = 32;

/** All buckets, by name. */
export async function listBuckets(context: Context): Promise<readonly BucketInfo[]> {
  const streams = await context.streams.list();
  const buckets: BucketInfo[] = [];
  for (let i = 0; i < streams.length; i += CONCURRENCY) {
    const group = streams.slice(i, i + CONCURRENCY).map(async ({ store, created }) => {
      const name = bucketOf(store);
      if (name === undefined) return [];
      return [{ name, created, owner: await readOwner(context, store).catch(() => undefined) }];
    });
    buckets.push(...(await Promise.all(group)).flat());
  }
  return buckets.sort((a, b) => compareUtf8(a.name, b.name));
}

/** Makes a bucket. Whoever records himself as its owner first has it. */
export async function createBucket(
  context: Context,
  bucket: BucketName,
  owner: string,
): Promise<void> {
  const store = storeOf(bucket);
  if (store === undefined || !isS3BucketName(bucket)) {
    throw new S3Error("InvalidBucketName", { BucketName: bucket });
  }
  const fresh = await context.streams.create(store);
  if (fresh) {
    try {
      await context.requests.publish(records.bucket(store, "owner"), JSON.stringify({ owner }), {
        expect: 0,
      });
      await context.requests.publish(records.bucket(store, "layout"), LAYOUT, { rollup: true });
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

/** A bucket. Throws `NoSuchBucket`. */
export async function readBucket(context: Context, bucket: BucketName): Promise<BucketInfo> {
  const { store, created } = await context.streams.read(bucket);
  return { name: bucket, created, owner: await readOwner(context, store) };
}

/** Deletes a bucket without objects. */
export async function deleteBucket(
  context: Context,
  indexes: KeyIndexes,
  bucket: BucketName,
): Promise<void> {
  const keys = await indexes.current(bucket);
  const { entries } = listPage(keys, { prefix: "", delimiter: "", after: "", limit: 1 });
  if (entries.length > 0) throw new S3Error("BucketNotEmpty", { BucketName: bucket });
  const { store } = await context.streams.read(bucket);
  await context.streams.delete(bucket, store);
}

async function readOwner(
  { requests, defaultOwner }: Context,
  store: StoreName,
): Promise<string | undefined> {
  const record = await requests.leaderGet(streamOf(store), {
    last_by_subj: records.bucket(store, "owner"),
  });
  if (record === undefined) return defaultOwner;
  const { owner } = JSON.parse(textOf(record.data)) as { readonly owner?: unknown };
  return typeof owner === "string" ? owner : defaultOwner;
}
