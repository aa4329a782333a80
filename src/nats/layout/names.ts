/**
 * Names of object stores and their streams, and the bucket that each store is.
 *
 * An S3 bucket name may contain dots, the name of a native object store underscores instead.
 * @module
 */

import { type BucketName, isS3BucketName } from "../../s3/names.ts";

/** Name of a native object store. */
export type StoreName = string & { readonly [brand]: "StoreName" };
declare const brand: unique symbol;

/** Stores in which the Go gateway keeps its multipart uploads. */
const NOT_BUCKETS = new Set(["mp_temp"]);
const STORE_NAME = /^[A-Za-z0-9_-]+$/;
const STREAM_PREFIX = "OBJ_";

/**
 * Returns the store of a bucket, or undefined if the bucket's name is not the one under which a store is served: a
 * store whose name maps to a valid bucket name (`_` → `.`) has only that bucket name, any other store only its own.
 *
 * @example Usage
 * ```ts
 * import { storeOf } from "./names.ts";
 * import type { BucketName } from "../../s3/names.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(storeOf("my.bucket" as BucketName), "my_bucket");
 * strictEqual(storeOf("my_bucket" as BucketName), undefined); // only "my.bucket" names it
 * strictEqual(storeOf("My_Bucket" as BucketName), "My_Bucket");
 * ```
 */
export function storeOf(bucket: BucketName): StoreName | undefined {
  const store = bucket.replaceAll(".", "_") as StoreName;
  return bucketOf(store) === bucket ? store : undefined;
}

/** Returns the one bucket name under which a store is served, or undefined if the store is not a bucket. */
export function bucketOf(store: string): BucketName | undefined {
  if (!STORE_NAME.test(store) || NOT_BUCKETS.has(store)) return undefined;
  const mapped = store.replaceAll("_", ".");
  return (isS3BucketName(mapped) ? mapped : store) as BucketName;
}

/** Returns the name of a store's stream. */
export function streamOf(store: StoreName): string {
  return `${STREAM_PREFIX}${store}`;
}

/** Returns the store of a stream, or undefined if the stream is not an object store's. */
export function storeOfStream(stream: string): StoreName | undefined {
  if (!stream.startsWith(STREAM_PREFIX)) return undefined;
  return stream.slice(STREAM_PREFIX.length) as StoreName;
}
