/**
 * How JetStream stores a bucket.
 * @module
 */

/** Where a stream keeps its messages. */
export const BUCKET_STORAGES = ["file", "memory"] as const;
/** One of {@linkcode BUCKET_STORAGES}. */
export type BucketStorage = typeof BUCKET_STORAGES[number];

/** How a stream compresses its messages on disk. */
export const BUCKET_COMPRESSIONS = ["none", "s2"] as const;
/** One of {@linkcode BUCKET_COMPRESSIONS}. */
export type BucketCompression = typeof BUCKET_COMPRESSIONS[number];
