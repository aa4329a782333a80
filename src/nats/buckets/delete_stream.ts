/**
 * Deleting the stream of a bucket.
 * @module
 */

import { JetStreamCode, JetStreamError, Unanswered } from "../jetstream/errors.ts";
import type { Requests } from "../jetstream/requests.ts";
import { type StoreName, streamOf } from "../layout/names.ts";

/** Number of requests for a deletion that gets no response. */
const DELETE_ATTEMPTS = 3;

/**
 * Deletes a bucket's stream, or does nothing if there is none.
 *
 * It purges the messages before. nats-server removes the files of a deleted stream in the background, and a new stream
 * of the same name may come up with the messages that are left (seen with 2.15.2).
 *
 * @param keep See `Streams.delete()`.
 */
export async function deleteStream(
  requests: Requests,
  store: StoreName,
  keep: number | undefined,
): Promise<void> {
  if (keep !== undefined) {
    await requests.call(`STREAM.PURGE.${streamOf(store)}`, { seq: keep });
  }
  for (let attempt = 1;; attempt++) {
    try {
      await requests.call(`STREAM.DELETE.${streamOf(store)}`);
      return;
    } catch (cause) {
      if (cause instanceof JetStreamError && cause.code === JetStreamCode.StreamNotFound) return;
      if (!(cause instanceof Unanswered) || attempt === DELETE_ATTEMPTS) throw cause;
    }
  }
}
