/**
 * The cleanup of a store. It knows the buckets with trash and the amount that waits, and sweeps in turn with other gateways.
 * @module
 */

import { isS3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { FreeReport, SweepOptions, SweepReport } from "../../store/maintenance.ts";
import { lockTask, type TaskLock } from "../buckets/lock.ts";
import { isFull } from "../jetstream/errors.ts";
import { emptyTrash } from "./empty_trash.ts";
import { type FinishContext, finishWork } from "./finish_work.ts";
import { NameMemory } from "./known_names.ts";
import { sweepBucket, type SweepContext } from "./sweep.ts";

type CleanupContext = SweepContext & FinishContext;

/** Empties the trash and sweeps, bucket by bucket. */
export class Cleanup {
  readonly #context: CleanupContext;
  readonly #inParts: (bucket: BucketName, key: ObjectKey) => void;
  /** Number of groups in the trash that had to stay, by bucket. */
  readonly #waiting = new Map<BucketName, number>();
  /** The locks under which this gateway is about to sweep. */
  readonly #claims = new Map<BucketName, TaskLock>();
  readonly #names = new NameMemory();

  /** @param inParts Called by a sweep with each object that native clients cannot read because it is in parts. */
  constructor(context: CleanupContext, inParts: (bucket: BucketName, key: ObjectKey) => void) {
    this.#context = context;
    this.#inParts = inParts;
  }

  /** Number of chunk groups that had to stay when this gateway last emptied the trash. */
  get waiting(): number {
    return this.#waiting.values().reduce((sum, waiting) => sum + waiting, 0);
  }

  /** Buckets with trash of this gateway. */
  get trashed(): readonly BucketName[] {
    return [...this.#context.trashed];
  }

  /** Empties the trash of a bucket. Throws `NoSuchBucket`. */
  async emptyTrash(bucket: BucketName): Promise<FreeReport> {
    const { trashed } = this.#context;
    trashed.delete(bucket); // a write may add it again at any time
    let finished: FreeReport;
    let emptied: FreeReport;
    try {
      finished = await finishWork(this.#context, bucket);
      emptied = await emptyTrash(this.#context, bucket);
    } catch (cause) {
      if (isS3Error(cause, "NoSuchBucket")) this.#waiting.delete(bucket);
      else trashed.add(bucket);
      throw cause;
    }
    this.#waiting.delete(bucket);
    const waiting = finished.waiting + emptied.waiting;
    if (waiting > 0) {
      trashed.add(bucket);
      this.#waiting.set(bucket, waiting);
    }
    return { freed: finished.freed + emptied.freed, waiting };
  }

  /** Sweeps a bucket. Throws `NoSuchBucket`. */
  async sweep(bucket: BucketName, options: SweepOptions): Promise<SweepReport> {
    try {
      return await sweepBucket(
        this.#context,
        bucket,
        options,
        this.#names,
        (key) => this.#inParts(bucket, key),
      );
    } catch (cause) {
      await this.#claims.get(bucket)?.release().catch(() => {}); // it expires
      throw cause;
    } finally {
      this.#claims.delete(bucket);
    }
  }

  /**
   * Tells whether this gateway is the one that sweeps a bucket in this interval of milliseconds. If its sweep fails, another
   * gateway may try. A full bucket has no room for the lock that tells, so every gateway sweeps it.
   */
  async claimSweep(bucket: BucketName, interval: number): Promise<boolean> {
    const stream = await this.#context.streams.read(bucket);
    // No gateway has written to it, or one is deleting it.
    if (!stream.prepared || stream.fenced) return false;
    const seconds = Math.max(1, Math.round(interval / 1000));
    try {
      const claim = await lockTask(this.#context, stream, "sweep", seconds);
      if (claim !== undefined) this.#claims.set(bucket, claim);
      return claim !== undefined;
    } catch (cause) {
      if (isFull(cause)) return true;
      throw cause;
    }
  }
}
