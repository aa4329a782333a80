/**
 * How JetStream stores a bucket.
 * @module
 */

/** Where JetStream places the copies of a stream, for one location of S3. */
export type BucketPlacement = {
  /** The location, as CreateBucket names it. */
  readonly location: string;
  /** Name of the NATS cluster; undefined for the one that the gateway is connected to. */
  readonly cluster: string | undefined;
  /** Every server that keeps a copy has all of these tags. */
  readonly tags: readonly string[];
};

/** Where a stream keeps its messages. */
export const BUCKET_STORAGES = ["file", "memory"] as const;
/** One of {@linkcode BUCKET_STORAGES}. */
export type BucketStorage = typeof BUCKET_STORAGES[number];

/** How a stream compresses its messages on disk. */
export const BUCKET_COMPRESSIONS = ["none", "s2"] as const;
/** One of {@linkcode BUCKET_COMPRESSIONS}. */
export type BucketCompression = typeof BUCKET_COMPRESSIONS[number];
