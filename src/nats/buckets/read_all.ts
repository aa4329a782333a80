/**
 * Reads all messages of a filter, however many they are.
 * @module
 */

import type { Delivery } from "../jetstream/messages.ts";
import { Feed, type FeedContext } from "./feed.ts";
import type { BucketStream } from "./streams.ts";

/**
 * Applies all messages of a filter once, in the order of the stream. It misses none that was acknowledged before the call.
 *
 * @throws errors of JetStream; Error if the messages are not read in time
 */
export async function readAll(
  context: FeedContext,
  stream: BucketStream,
  filter: string,
  apply: (delivery: Delivery) => void,
): Promise<void> {
  using feed = new Feed(context, stream, {
    filters: [filter],
    asked: [filter],
    position: 0,
    apply,
  });
  const reached = await feed.reach(stream, READ_TIMEOUT);
  if (reached === "all") return;
  if (reached === "restored") {
    throw new Error(`The stream lost messages while "${filter}" was read`);
  }
  throw new Error(`"${filter}" was not read within ${READ_TIMEOUT / 1000} s`);
}

/** Milliseconds for reading all messages of a filter: enough for a hundred million. */
const READ_TIMEOUT = 1_800_000;
