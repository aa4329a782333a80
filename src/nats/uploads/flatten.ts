/**
 * Flattens objects for native clients: rewrites objects in parts as one chunk group each, one after another.
 * @module
 */

import { isS3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { FlattenOutcome, FlattenResult } from "../../store/maintenance.ts";
import { monotonic } from "../../world/world.ts";
import { type FlattenNeeds, flattenObject } from "./flatten_object.ts";

type WaitingObject = Pick<FlattenResult, "bucket" | "key"> & {
  /** Whether an earlier attempt found no room, which was reported. */
  readonly hadNoRoom: boolean;
};

/** Share of the time in which bytes move in the background. */
const BACKGROUND_SHARE = 0.25;
/** How many objects wait in memory at most; the sweep finds the others again. */
const MAX_WAITING = 100_000;
/** Milliseconds until a bucket without room is looked at again. */
const ROOM_PAUSE = 60_000;

/** Options of a {@linkcode Flattener}. */
export type FlattenerOptions = {
  /** Milliseconds until a bucket without room for a second copy is looked at again; a minute by default. */
  readonly roomPause?: number;
};

/** The queue of objects that this gateway will flatten. */
export class Flattener {
  readonly #needs: FlattenNeeds;
  readonly #roomPause: number;
  readonly #waiting = new Map<string, WaitingObject>();
  /** When the buckets without room are looked at again. */
  readonly #paused = new Map<BucketName, number>();
  #bytes = 0;

  constructor(needs: FlattenNeeds, { roomPause = ROOM_PAUSE }: FlattenerOptions = {}) {
    this.#needs = needs;
    this.#roomPause = roomPause;
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
    const isNew = !this.#waiting.has(nameOf(bucket, key));
    if (isNew) this.#wait({ bucket, key, hadNoRoom: false });
  }

  /**
   * Flattens the object that has waited longest, throttled. One without room goes to the end of the queue, and its bucket
   * is left alone for a while.
   *
   * @returns the object and the outcome, except "no-room" for the second time; undefined if no object can be flattened
   */
  async next(signal: AbortSignal): Promise<FlattenResult | undefined> {
    for (let object = this.#take(); object !== undefined; object = this.#take()) {
      const { bucket, key, hadNoRoom } = object;
      const outcome = await this.#flatten(bucket, key, signal);
      if (outcome !== "no-room") return { bucket, key, outcome };
      this.#waitForRoom(bucket, key);
      if (!hadNoRoom) return { bucket, key, outcome };
    }
    return undefined;
  }

  async #flatten(bucket: BucketName, key: ObjectKey, signal: AbortSignal): Promise<FlattenOutcome> {
    try {
      return await flattenObject(this.#needs, bucket, key, {
        share: BACKGROUND_SHARE,
        signal,
        moved: this.#moved,
      });
    } catch (cause) {
      if (isS3Error(cause, "NoSuchBucket")) return "needless";
      throw cause;
    }
  }

  /** Flattens an object at full speed. If that fails, the object stays in parts until the sweep finds it. */
  async flattenNow(bucket: BucketName, key: ObjectKey): Promise<void> {
    const { log } = this.#needs;
    try {
      const options = { share: 1, moved: this.#moved };
      const outcome = await flattenObject(this.#needs, bucket, key, options);
      if (outcome !== "no-room") return;
      this.#waitForRoom(bucket, key);
      log.warn("object was not rewritten for native clients", { bucket, key, outcome });
    } catch (cause) {
      log.warn("object was not rewritten for native clients", { bucket, key, cause });
    }
  }

  /** Takes the first object whose bucket may have room out of the queue. */
  #take(): WaitingObject | undefined {
    const now = monotonic();
    for (const [name, object] of this.#waiting) {
      if ((this.#paused.get(object.bucket) ?? 0) > now) continue;
      this.#paused.delete(object.bucket);
      this.#waiting.delete(name);
      return object;
    }
    return undefined;
  }

  #waitForRoom(bucket: BucketName, key: ObjectKey): void {
    this.#paused.set(bucket, monotonic() + this.#roomPause);
    this.#wait({ bucket, key, hadNoRoom: true });
  }

  #wait(object: WaitingObject): void {
    const name = nameOf(object.bucket, object.key);
    if (this.#waiting.size < MAX_WAITING) this.#waiting.set(name, object);
  }

  readonly #moved = (bytes: number): void => {
    this.#bytes += bytes;
  };
}

function nameOf(bucket: BucketName, key: ObjectKey): string {
  return `${bucket}/${key}`;
}
