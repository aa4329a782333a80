/**
 * The part of a store that keeps buckets.
 * @module
 */

import type { BucketName } from "../s3/names.ts";
import type { DocumentKind } from "./documents.ts";

/** A bucket as ListBuckets shows it. */
export type BucketInfo = {
  readonly name: BucketName;
  readonly created: Date;
  /** Access key id of the creator; undefined for a bucket that was not made through S3. */
  readonly owner: string | undefined;
};

/** What a bucket has from the beginning. */
export type NewBucket = {
  /** Documents that the caller has validated, by kind. */
  readonly documents?: ReadonlyMap<DocumentKind, string>;
};

/** Buckets. Every method that names a bucket throws `NoSuchBucket` if it is missing. */
export interface Buckets {
  /** Returns all buckets, sorted by name. */
  listBuckets(): Promise<readonly BucketInfo[]>;
  /**
   * Creates a bucket, with its documents or not at all.
   *
   * @throws S3Error `BucketAlreadyOwnedByYou`, `BucketAlreadyExists`, `InvalidBucketName`
   */
  createBucket(bucket: BucketName, owner: string, given?: NewBucket): Promise<void>;
  readBucket(bucket: BucketName): Promise<BucketInfo>;
  /**
   * Returns whether a bucket exists. It never throws `NoSuchBucket`. It is cheap: a bucket that another gateway deleted
   * may seem to exist for a few seconds more.
   */
  hasBucket(bucket: BucketName): Promise<boolean>;
  /** @throws S3Error `BucketNotEmpty` */
  deleteBucket(bucket: BucketName): Promise<void>;
}
