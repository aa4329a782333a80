/**
 * Reads the last message of each subject that matches a filter. It suits few messages; `readAll()` suits many.
 * @module
 */

import type { StoredMessage } from "../jetstream/messages.ts";
import type { BucketsContext } from "./context.ts";
import type { BucketStream } from "./streams.ts";

/** Fields of a context that a scan needs. */
export type ScanContext = Pick<BucketsContext, "requests" | "streams" | "budget">;

/** Largest number of messages in a batch, and their bytes. */
const BATCH = 1000;
const BATCH_BYTES = 4 * 1024 * 1024;
/** Number of messages requested from a leader at once. */
const READS_AT_ONCE = 64;

/** Reads the messages of a filter in the order of the stream. It misses none that was acknowledged before the call. */
export async function readMessages(
  context: ScanContext,
  stream: Pick<BucketStream, "stream" | "single">,
  filter: string,
): Promise<readonly StoredMessage[]> {
  const messages: StoredMessage[] = [];
  for await (const batch of readBatches(context, stream, filter)) messages.push(...batch);
  return messages.sort((a, b) => a.sequence - b.sequence);
}

/** Reads the messages of a filter in batches, so that few are in memory at a time, in no particular order. */
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
  // Replicas may lag behind, so the leader lists the subjects and returns the messages.
  const subjects = await streams.listSubjects(stream, filter);
  for (let i = 0; i < subjects.length; i += READS_AT_ONCE) {
    const group = subjects.slice(i, i + READS_AT_ONCE).map((subject) =>
      requests.leaderGet(stream, { last_by_subj: subject })
    );
    yield (await Promise.all(group)).filter((message) => message !== undefined);
  }
}
