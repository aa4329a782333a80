/**
 * Reads the next message of several filters at the leader.
 * @module
 */

import type { LeaderMessage } from "../jetstream/messages.ts";
import type { Requests } from "../jetstream/requests.ts";

/** Returns the first message at or above a sequence that one of these filters matches; undefined if there is none. */
export async function readFirst(
  requests: Pick<Requests, "leaderGet">,
  stream: string,
  seq: number,
  filters: readonly string[],
): Promise<LeaderMessage | undefined> {
  const read = (next_by_subj: string): Promise<LeaderMessage | undefined> =>
    requests.leaderGet(stream, { seq, next_by_subj });
  const found = await Promise.all(filters.map(read));
  // A filter that had nothing may have got a message since, before the one that another filter found.
  if (found.some((message) => message !== undefined)) {
    for (const [i, filter] of filters.entries()) found[i] ??= await read(filter);
  }
  return found.filter((message) => message !== undefined)
    .sort((a, b) => a.sequence - b.sequence)[0];
}
