/**
 * Reads the last messages of many subjects, hundreds with one request. Any replica may return them, so it suits messages
 * that hardly change, and callers that ask the leader for the few that matter.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-31.md
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import { JetStreamError, NoResponders, Unanswered } from "../jetstream/errors.ts";
import type { StoredMessage } from "../jetstream/messages.ts";
import type { BucketsContext } from "./context.ts";
import type { BucketStream } from "./streams.ts";

/** Subjects of one request: nats-server refuses more than 1,024. */
const SUBJECTS = 128;
/** Bytes after which nats-server ends its response, and those that a response may have, with one more message. */
const MAX_BYTES = 1024 * 1024;
const EXPECTED_BYTES = 2 * MAX_BYTES;
/** Messages that are requested from the leader at a time. */
const LEADER_GETS = 64;

type Needs = Pick<BucketsContext, "requests" | "budget">;

/**
 * Reads the last message of each subject, in batches and in no particular order; one batch is requested at a time. The
 * leader returns those that the replica lacks. A message may be older than the last acknowledged write of its subject,
 * unless the stream has one copy or there are no direct gets.
 *
 * @param subjects None of them twice, as the leader listed them.
 */
export async function* readCopies(
  needs: Needs,
  stream: Pick<BucketStream, "stream" | "direct">,
  subjects: readonly string[],
): AsyncGenerator<readonly StoredMessage[]> {
  for (let i = 0; i < subjects.length; i += SUBJECTS) {
    const missing = new Set(subjects.slice(i, i + SUBJECTS));
    while (stream.direct && missing.size > 0) {
      const before = missing.size;
      const found = await readBatch(needs, stream.stream, [...missing]);
      yield found.filter(({ subject }) => missing.delete(subject));
      if (missing.size === before) break;
    }
    yield await readAtLeader(needs, stream, [...missing]);
  }
}

/** Reads the last message of each subject at the leader, some at a time. Subjects without a message are left out. */
export async function readAtLeader(
  { requests }: Pick<Needs, "requests">,
  { stream }: Pick<BucketStream, "stream">,
  subjects: readonly string[],
): Promise<readonly StoredMessage[]> {
  const found = await mapAtOnce(subjects, LEADER_GETS, (subject) => {
    return requests.leaderGet(stream, { last_by_subj: subject });
  });
  return found.filter((message) => message !== undefined);
}

/** Requests a batch; it is empty if a mirror responds, or nobody does. */
async function readBatch(
  { requests, budget }: Needs,
  stream: string,
  subjects: readonly string[],
): Promise<readonly StoredMessage[]> {
  await budget.take(EXPECTED_BYTES);
  try {
    return await requests.directBatch(stream, {
      multi_last: subjects,
      batch: subjects.length,
      max_bytes: MAX_BYTES,
    });
  } catch (cause) {
    const mayBeAtLeader = cause instanceof JetStreamError || cause instanceof NoResponders ||
      cause instanceof Unanswered;
    if (!mayBeAtLeader) throw cause;
    return [];
  } finally {
    budget.give(EXPECTED_BYTES);
  }
}
