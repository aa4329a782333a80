/**
 * The last messages of all subjects that match a filter.
 * @module
 */

import type { Context } from "./context.ts";
import type { StoredMessage } from "./requests.ts";
import type { BucketStream } from "./streams.ts";

/** Most messages of one batch, and their bytes. */
type BatchSize = { readonly messages: number; readonly bytes: number };
const SMALL: BatchSize = { messages: 1000, bytes: 4 * 1024 * 1024 };
/** nats-server counts for each batch how many messages follow it, which takes as long as there are many of them. */
export const LARGE: BatchSize = { messages: 20_000, bytes: 8 * 1024 * 1024 };
/** Messages asked of a leader at once. */
const CONCURRENCY = 64;

/**
 * Reads the messages of a filter, from a sequence on and in the order of the stream, never missing one that was
 * acknowledged before the call.
 */
export async function readMessages(
  context: Context,
  stream: Pick<BucketStream, "stream" | "single">,
  filter: string,
  from = 1,
): Promise<readonly StoredMessage[]> {
  const messages: StoredMessage[] = [];
  for await (const batch of readBatches(context, stream, filter, from)) messages.push(...batch);
  return messages.sort((a, b) => a.sequence - b.sequence);
}

/** Reads them in batches, so that few are held at a time, and in an order of its own. */
export async function* readBatches(
  { requests, streams, budget }: Context,
  { stream, single }: Pick<BucketStream, "stream" | "single">,
  filter: string,
  from = 1,
  { messages, bytes }: BatchSize = SMALL,
): AsyncGenerator<readonly StoredMessage[]> {
  if (single) {
    const ask = async (seq: number): Promise<readonly StoredMessage[]> => {
      await budget.take(bytes);
      try {
        return await requests.directBatch(stream, {
          seq,
          next_by_subj: filter,
          batch: messages,
          max_bytes: bytes,
        });
      } finally {
        budget.give(bytes);
      }
    };
    for (let next = ask(from);;) {
      const batch = await next;
      const last = batch.at(-1);
      if (last === undefined) return;
      // On its way while this one is looked at.
      next = ask(last.sequence + 1);
      next.catch(() => {}); // awaited in its turn, or never when nobody wants more
      yield batch;
    }
  }
  // Followers may lag: the leader names the subjects and gives the messages.
  const subjects = await streams.listSubjects(stream, filter);
  for (let i = 0; i < subjects.length; i += CONCURRENCY) {
    const group = subjects.slice(i, i + CONCURRENCY).map((subject) =>
      requests.leaderGet(stream, { last_by_subj: subject })
    );
    yield (await Promise.all(group)).filter((message) => message !== undefined)
      .filter(({ sequence }) => sequence >= from);
  }
}
