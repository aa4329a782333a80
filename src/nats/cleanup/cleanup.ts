/**
 * The cleanup of a store. It knows the buckets with trash and the amount that waits, and sweeps in turn with other gateways.
 * @module
 */

import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { FreeReport, SweepOptions, SweepReport } from "../../store/maintenance.ts";
import { lockTask } from "../buckets/lock.ts";
import { isFull } from "../jetstream/errors.ts";
import { emptyTrash } from "./empty_trash.ts";
import { type FinishContext, finishWork } from "./finish_work.ts";
import { sweepBucket, type SweepContext } from "./sweep.ts";

type CleanupContext = SweepContext & FinishContext;

/** Empties the trash and sweeps, bucket by bucket. */
export class Cleanup {
  readonly #context: CleanupContext;
  readonly #inParts: (bucket: BucketName, key: ObjectKey) => void;
  /** Number of groups in the trash that had to stay, by bucket. */
  readonly #waiting = new Map<BucketName, number>();

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
    trashed.delete(bucket);
    this.#waiting.delete(bucket);
    const finished = await finishWork(this.#context, bucket);
    const emptied = await emptyTrash(this.#context, bucket);
    const waiting = finished.waiting + emptied.waiting;
    if (waiting > 0) {
      trashed.add(bucket);
      this.#waiting.set(bucket, waiting);
    }
    return { freed: finished.freed + emptied.freed, waiting };
  }

  /** Sweeps a bucket. Throws `NoSuchBucket`. */
  async sweep(bucket: BucketName, options: SweepOptions): Promise<SweepReport> {
    return await sweepBucket(this.#context, bucket, options, (key) => this.#inParts(bucket, key));
  }

  /**
   * Tells whether this gateway is the one that sweeps a bucket in this interval of milliseconds. A full bucket has no room
   * for the lock that tells, so every gateway sweeps it.
   */
  async claimSweep(bucket: BucketName, interval: number): Promise<boolean> {
    const stream = await this.#context.streams.read(bucket);
    if (!stream.prepared) return false; // no gateway has written to it
    const seconds = Math.max(1, Math.round(interval / 1000));
    try {
      return await lockTask(this.#context, stream, "sweep", seconds) !== undefined;
    } catch (cause) {
      if (isFull(cause)) return true;
      throw cause;
    }
  }
}
