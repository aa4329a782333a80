/**
 * The work of a store that no request asks for. Workers call it.
 * @module
 */

import type { BucketName, ObjectKey } from "../s3/names.ts";

/** The result of freeing replaced bytes in one bucket. */
export type FreeReport = {
  /** Replaced or deleted objects whose bytes were freed. */
  readonly freed: number;
  /** Replaced or deleted objects whose bytes must stay longer: for the grace, or for a reader. */
  readonly waiting: number;
};

/** Limits of a sweep. */
export type SweepOptions = {
  /** Milliseconds. The sweep skips everything younger. */
  readonly minAge: number;
  /** Milliseconds without a new part after which an upload is aborted; undefined for never. */
  readonly uploadExpiry?: number | undefined;
  /** Reports the work without doing it. */
  readonly dryRun: boolean;
};

/** The result of sweeping one bucket, or the forecast of a dry run. */
export type SweepReport = {
  readonly bucket: BucketName;
  readonly dryRun: boolean;
  /** Replaced or deleted objects whose bytes were freed. */
  readonly replaced: number;
  /** Abandoned uploads that were aborted. */
  readonly uploads: number;
  /** Stored contents that no object and no upload refers to. */
  readonly orphans: number;
  /** Records of the store itself that nothing refers to. */
  readonly records: number;
  /** Stored entries that these orphans and records consisted of. */
  readonly entries: number;
  /** Why the sweep stopped before it freed any orphan. */
  readonly stopped?: string;
};

/** The outcome of rewriting a multipart object into one piece. */
export type FlattenOutcome =
  /** It is in one piece now. */
  | "rewritten"
  /** It was in one piece already, or was deleted or replaced meanwhile. */
  | "needless"
  /** Another gateway is rewriting it. */
  | "taken"
  /** It is too large to be rewritten. */
  | "too-large"
  /** Its bucket or account has no room for a second copy. It waits for room. */
  | "no-room";

/** An object that was considered for flattening. */
export type FlattenResult = {
  readonly bucket: BucketName;
  readonly key: ObjectKey;
  readonly outcome: FlattenOutcome;
};

/** A task of a bucket that one store has for itself, until it releases it or dies. */
export type TaskClaim = {
  /** Lets another store have the task. */
  readonly release: () => Promise<void>;
};

/** The maintenance of a store, which no request waits for. */
export interface Maintenance {
  /** Returns the buckets in which this store replaced or deleted objects and may have bytes left to free. */
  bucketsToFree(): readonly BucketName[];
  /**
   * Frees the bytes of objects that were replaced or deleted longer ago than the grace.
   *
   * @throws S3Error `NoSuchBucket`
   */
  freeReplaced(bucket: BucketName): Promise<FreeReport>;
  /**
   * Frees the data that crashes left behind.
   *
   * @throws S3Error `NoSuchBucket`
   */
  sweep(bucket: BucketName, options: SweepOptions): Promise<SweepReport>;
  /**
   * Rewrites the next waiting multipart object into one piece, at a reduced rate.
   *
   * @param signal Ends the rewrite and leaves the object as it was.
   * @returns undefined if no object is waiting
   */
  flattenNext(signal: AbortSignal): Promise<FlattenResult | undefined>;
  /**
   * Returns true for one of all the stores that call it for the same bucket within the interval. That store sweeps.
   *
   * @param interval Milliseconds.
   */
  claimSweep(bucket: BucketName, interval: number): Promise<boolean>;
  /**
   * Returns the task of carrying out a bucket's lifecycle rules; undefined while another store has it.
   *
   * @throws S3Error `NoSuchBucket`
   */
  claimLifecycle(bucket: BucketName): Promise<TaskClaim | undefined>;
  /**
   * Reads the time by the clock that times of modification and locks count by.
   *
   * @throws S3Error `NoSuchBucket`
   */
  serverTime(bucket: BucketName): Promise<Date>;
}
