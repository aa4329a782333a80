/**
 * Reads the last message of each subject that matches a filter. It suits few messages; `readAll()` suits many.
 *
 * The leader lists the subjects and returns the messages. Direct gets are cheaper, but mirrors respond to them as well, and
 * these records decide which chunks are purged.
 * @module
 */

import type { StoredMessage } from "../jetstream/messages.ts";
import type { BucketsContext } from "./context.ts";
import type { BucketStream } from "./streams.ts";

/** Fields of a context that a scan needs. */
export type ScanContext = Pick<BucketsContext, "requests" | "streams">;

/** Number of messages that are requested at once, and number in a batch. */
const READS_AT_ONCE = 64;

/** Reads the messages of a filter in the order of the stream. It misses none that was acknowledged before the call. */
export async function readMessages(
  context: ScanContext,
  stream: Pick<BucketStream, "stream">,
  filter: string,
): Promise<readonly StoredMessage[]> {
  const messages = new Map<number, StoredMessage>();
  for await (const batch of readBatches(context, stream, filter)) {
    for (const message of batch) messages.set(message.sequence, message);
  }
  return [...messages.values()].sort((a, b) => a.sequence - b.sequence);
}

/**
 * Reads the messages of a filter in batches, so that few are in memory at a time, in no particular order. It ends while
 * others write, and the caller may remove what it was given. It may return a message twice, see `subject_pages.ts`.
 */
export async function* readBatches(
  { requests, streams }: ScanContext,
  { stream }: Pick<BucketStream, "stream">,
  filter: string,
): AsyncGenerator<readonly StoredMessage[]> {
  for await (const page of streams.subjectPages(stream, filter)) {
    const subjects = Object.keys(page);
    for (let i = 0; i < subjects.length; i += READS_AT_ONCE) {
      const group = subjects.slice(i, i + READS_AT_ONCE).map((subject) =>
        requests.leaderGet(stream, { last_by_subj: subject })
      );
      yield (await Promise.all(group)).filter((message) => message !== undefined);
    }
  }
}
