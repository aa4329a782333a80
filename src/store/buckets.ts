/**
 * The part of a store that keeps buckets.
 * @module
 */

import type { BucketName } from "../s3/names.ts";
import type { DocumentKind } from "./documents.ts";

/** To whom a bucket belongs. */
export type BucketOwner = {
  /** Access key id of the creator. */
  readonly accessKeyId: string;
  /** Account that owns the bucket; undefined for one that was made while accounts were not isolated. */
  readonly account: string | undefined;
};

/** A bucket as ListBuckets shows it. */
export type BucketInfo = {
  readonly name: BucketName;
  readonly created: Date;
  /** Access key id of the creator; undefined for a bucket that was not made through S3. */
  readonly owner: string | undefined;
  /** Account that owns it, if it is recorded. */
  readonly account?: string | undefined;
  /** The location that it was created in or moved to; undefined if none was named. */
  readonly location: string | undefined;
};

/** What a bucket has from the beginning. */
export type NewBucket = {
  /** The account that is to own it; undefined while accounts are not isolated. */
  readonly account?: string | undefined;
  /** A location that the store is to place the bucket in and remember. */
  readonly location?: string | undefined;
  /** Documents that the caller has validated, by kind. */
  readonly documents?: ReadonlyMap<DocumentKind, string>;
};

/** Buckets. Every method that names a bucket throws `NoSuchBucket` if it is missing. */
export interface Buckets {
  /** Returns all buckets, sorted by name. */
  listBuckets(): Promise<readonly BucketInfo[]>;
  /**
   * Creates a bucket, with its documents or not at all. A bucket that the same account owns already is the caller's own,
   * whoever created it.
   *
   * @throws S3Error `BucketAlreadyOwnedByYou`, `BucketAlreadyExists`, `InvalidBucketName`; `ServiceUnavailable` if nothing
   * fits the location
   */
  createBucket(bucket: BucketName, owner: string, given?: NewBucket): Promise<void>;
  readBucket(bucket: BucketName): Promise<BucketInfo>;
  /** Returns to whom a bucket belonged at most a second ago; undefined if nobody knows. */
  readOwner(bucket: BucketName): Promise<BucketOwner | undefined>;
  /** Returns the same if it is known without asking anybody; undefined also if it must be read. It never throws. */
  knownOwner(bucket: BucketName): BucketOwner | undefined;
  /**
   * Returns whether a bucket exists. It never throws `NoSuchBucket`. It is cheap: a bucket that another gateway deleted
   * may seem to exist for a few seconds more.
   */
  hasBucket(bucket: BucketName): Promise<boolean>;
  /**
   * Returns the location of a bucket as far as it is known without asking anybody. It never throws: a bucket that nobody
   * used has no known location.
   */
  knownLocation(bucket: BucketName): string | undefined;
  /** @throws S3Error `BucketNotEmpty` */
  deleteBucket(bucket: BucketName): Promise<void>;
}
