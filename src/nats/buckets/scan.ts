/**
 * The last messages of all subjects that match a filter, where they are few; `readAll()` reads many.
 * @module
 */

import type { StoredMessage } from "../jetstream/messages.ts";
import type { BucketsContext } from "./context.ts";
import type { BucketStream } from "./streams.ts";

/** Fields of a context that a scan needs. */
export type ScanContext = Pick<BucketsContext, "requests" | "streams" | "budget">;

/** Most messages of one batch, and their bytes. */
const BATCH = 1000;
const BATCH_BYTES = 4 * 1024 * 1024;
/** Messages asked of a leader at once. */
const CONCURRENCY = 64;

/** Reads the messages of a filter in the order of the stream, never missing one that was acknowledged before the call. */
export async function readMessages(
  context: ScanContext,
  stream: Pick<BucketStream, "stream" | "single">,
  filter: string,
): Promise<readonly StoredMessage[]> {
  const messages: StoredMessage[] = [];
  for await (const batch of readBatches(context, stream, filter)) messages.push(...batch);
  return messages.sort((a, b) => a.sequence - b.sequence);
}

/** Reads them in batches, so that few are held at a time, and in an order of its own. */
export async function* readBatches(
  { requests, streams, budget }: ScanContext,
  { stream, single }: Pick<BucketStream, "stream" | "single">,
  filter: string,
): AsyncGenerator<readonly StoredMessage[]> {
  if (single) {
    for (let seq = 1;;) {
      let batch: readonly StoredMessage[];
      await budget.take(BATCH_BYTES);
      try {
        batch = await requests.directBatch(stream, {
          seq,
          next_by_subj: filter,
          batch: BATCH,
          max_bytes: BATCH_BYTES,
        });
      } finally {
        budget.give(BATCH_BYTES);
      }
      const last = batch.at(-1);
      if (last === undefined) return;
      seq = last.sequence + 1;
      yield batch;
    }
  }
  // Followers may lag: the leader names the subjects and gives the messages.
  const subjects = await streams.listSubjects(stream, filter);
  for (let i = 0; i < subjects.length; i += CONCURRENCY) {
    const group = subjects.slice(i, i + CONCURRENCY).map((subject) =>
      requests.leaderGet(stream, { last_by_subj: subject })
    );
    yield (await Promise.all(group)).filter((message) => message !== undefined);
  }
}
