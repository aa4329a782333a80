/**
 * Flattens objects for native clients: rewrites objects in parts as one chunk group each, one after another.
 * @module
 */

import { isS3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { FlattenResult } from "../../store/maintenance.ts";
import { type FlattenNeeds, flattenObject } from "./flatten_object.ts";

type WaitingObject = Pick<FlattenResult, "bucket" | "key">;

/** Share of the time in which bytes move in the background. */
const BACKGROUND_SHARE = 0.25;
/** How many objects wait in memory at most; the sweep finds the others again. */
const MAX_WAITING = 100_000;

/** The queue of objects that this gateway will flatten. */
export class Flattener {
  readonly #needs: FlattenNeeds;
  readonly #waiting = new Map<string, WaitingObject>();
  #bytes = 0;

  constructor(needs: FlattenNeeds) {
    this.#needs = needs;
  }

  /** Number of objects in the queue. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Bytes that were read so far in order to flatten objects. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds an object to the queue. */
  add(bucket: BucketName, key: ObjectKey): void {
    if (this.#waiting.size < MAX_WAITING) this.#waiting.set(`${bucket}/${key}`, { bucket, key });
  }

  /**
   * Flattens the object that has waited longest, throttled.
   *
   * @returns the object and the outcome; undefined if the queue is empty
   */
  async next(signal: AbortSignal): Promise<FlattenResult | undefined> {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [name, { bucket, key }] = first;
    this.#waiting.delete(name);
    try {
      const outcome = await flattenObject(this.#needs, bucket, key, {
        share: BACKGROUND_SHARE,
        signal,
        moved: this.#moved,
      });
      return { bucket, key, outcome };
    } catch (cause) {
      if (isS3Error(cause, "NoSuchBucket")) return { bucket, key, outcome: "needless" };
      throw cause;
    }
  }

  /** Flattens an object at full speed. If that fails, the object stays in parts until the sweep finds it. */
  async flattenNow(bucket: BucketName, key: ObjectKey): Promise<void> {
    const { log } = this.#needs;
    try {
      await flattenObject(this.#needs, bucket, key, { share: 1, moved: this.#moved });
    } catch (cause) {
      log.warn("object was not rewritten for native clients", { bucket, key, cause });
    }
  }

  readonly #moved = (bytes: number): void => {
    this.#bytes += bytes;
  };
}
