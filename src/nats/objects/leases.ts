/**
 * Leases: a long read holds its chunk group, so that the group is not purged if the object is replaced meanwhile.
 *
 * The trash is purged after a grace. A read that still runs after half of the grace writes `S3.lease.<nuid>.<gateway>`,
 * which lives for two graces unless the read renews it. So the lease exists before the purger looks for it, and expires by
 * itself if the gateway dies.
 * @module
 */

import { startTimer, stopTimer, type Timer } from "../../world/world.ts";
import type { StoreLog } from "../buckets/context.ts";
import type { BucketStream } from "../buckets/streams.ts";
import type { Requests } from "../jetstream/requests.ts";
import type { Nuid } from "../layout/nuid.ts";
import { records } from "../layout/subjects.ts";

type Held = { readers: number; timer: Timer };

/** The chunk groups that this gateway's readers hold. */
export class Leases {
  readonly #requests: Requests;
  readonly #gateway: string;
  readonly #grace: number;
  readonly #log: StoreLog;
  readonly #held = new Map<string, Held>();

  /**
   * @param gateway A token that is unique to this gateway.
   * @param grace Milliseconds.
   */
  constructor(requests: Requests, gateway: string, grace: number, log: StoreLog) {
    this.#requests = requests;
    this.#gateway = gateway;
    this.#grace = grace;
    this.#log = log;
  }

  /** Passes a read on and holds its group until the read ends. */
  async *during<T, R>(
    stream: BucketStream,
    nuid: Nuid,
    source: AsyncGenerator<T, R>,
  ): AsyncGenerator<T, R> {
    const subject = records.lease(stream.store, nuid, this.#gateway);
    this.#hold(stream, subject);
    try {
      return yield* source;
    } finally {
      this.#release(subject);
    }
  }

  #hold(stream: BucketStream, subject: string): void {
    const held = this.#held.get(subject);
    if (held !== undefined) held.readers++;
    else this.#held.set(subject, { readers: 1, timer: this.#later(stream, subject) });
  }

  #release(subject: string): void {
    const held = this.#held.get(subject);
    if (held === undefined || --held.readers > 0) return;
    stopTimer(held.timer);
    this.#held.delete(subject);
  }

  #later(stream: BucketStream, subject: string): Timer {
    return startTimer(this.#grace / 2, () => this.#renew(stream, subject));
  }

  async #renew(stream: BucketStream, subject: string): Promise<void> {
    const held = this.#held.get(subject);
    if (held === undefined) return;
    held.timer = this.#later(stream, subject);
    const ttl = `${Math.max(1, Math.ceil(this.#grace / 500))}s`;
    try {
      await this.#requests.publish(subject, "", { rollup: true, ttl });
    } catch (cause) {
      // A native bucket that no gateway has written to has no trash, so nothing is purged.
      if (stream.prepared) this.#log.warn("lease was not renewed", { subject, cause });
    }
  }
}
