/**
 * Messages of object info and of versions that a later one of their subject has taken the place of: the sweep removes them.
 *
 * Each write rolls its subject up. If nats-server loses that in a power failure, and keeps the message, the older one stays
 * behind it. Nobody reads it, but it names its bytes, and it would come back once a tombstone after it has expired.
 * @module
 */

import type { StreamReading } from "../buckets/streams.ts";
import type { Delivery } from "../jetstream/messages.ts";
import type { UploadsContext } from "../uploads/context.ts";
import { hashOf, IdSet } from "./id_set.ts";

/** Number of subjects that one sweep remembers, and that it rolls up; the next one finds others of these. */
const [MAX_SUBJECTS, MAX_FOUND] = [1_000_000, 1000];

/** Subjects with more than one message. */
export class Superseded {
  readonly #newest: number;
  readonly #seen = new IdSet();
  readonly #found = new Set<string>();

  /** @param newest Later messages may be those of writers at work, by nats-server's clock. */
  constructor(newest: number) {
    this.#newest = newest;
  }

  /** Notes a message. */
  note({ subject, time }: Delivery): void {
    const hash = hashOf(subject);
    const isKnown = this.#seen.find(hash) !== undefined;
    if (isKnown && time <= this.#newest && this.#found.size < MAX_FOUND) this.#found.add(subject);
    if (!isKnown && this.#seen.size < MAX_SUBJECTS) this.#seen.add(hash);
  }

  /**
   * Removes all messages of what was found but the last ones. Bytes that only they name are orphans from then on.
   *
   * @returns the number of subjects
   */
  async remove(
    { streams }: Pick<UploadsContext, "streams">,
    { stream }: StreamReading,
    { dryRun }: { readonly dryRun: boolean },
  ): Promise<number> {
    if (!dryRun) { for (const subject of this.#found) await streams.purge(stream, subject, 1); }
    return this.#found.size;
  }
}
