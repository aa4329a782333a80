/**
 * Deleting the stream of a bucket.
 * @module
 */

import { JetStreamCode, JetStreamError, Unanswered } from "../jetstream/errors.ts";
import type { Requests } from "../jetstream/requests.ts";
import { type StoreName, streamOf } from "../layout/names.ts";
import { readInfo } from "./fence.ts";

/** Number of requests for a deletion that gets no response. */
const DELETE_ATTEMPTS = 3;

/**
 * Deletes a bucket's stream, or does nothing if there is none, or another one of its name.
 *
 * It looks at the stream before each request: another gateway may have carried the deletion out, and the bucket may have
 * been made anew. It purges the messages before. nats-server removes the files of a deleted stream in the background, and a new stream
 * of the same name may come up with the messages that are left (seen with 2.15.2).
 *
 * @param keep See `Streams.delete()`.
 */
export async function deleteStream(
  requests: Requests,
  store: StoreName,
  created: Date,
  keep: number | undefined,
): Promise<void> {
  const isThere = async (): Promise<boolean> =>
    Date.parse((await readInfo(requests, store)).created) === created.getTime();
  for (let attempt = 1;; attempt++) {
    try {
      if (keep !== undefined && attempt === 1) {
        if (!await isThere()) return;
        await requests.call(`STREAM.PURGE.${streamOf(store)}`, { seq: keep }, { isLong: true });
      }
      if (await isThere()) await requests.call(`STREAM.DELETE.${streamOf(store)}`);
      return;
    } catch (cause) {
      if (cause instanceof JetStreamError && cause.code === JetStreamCode.StreamNotFound) return;
      if (!(cause instanceof Unanswered) || attempt === DELETE_ATTEMPTS) throw cause;
    }
  }
}
