/**
 * Stores changed records together, if the stream still ends where the directory ends that the change was planned on.
 * @module
 */

import { isConflict, JetStreamCode, JetStreamError, Unanswered } from "../jetstream/errors.ts";
import { type BatchMessage, textOf } from "../jetstream/messages.ts";
import type { Requests } from "../jetstream/requests.ts";
import { USERS_STREAM } from "../layout/user_subjects.ts";
import { allowBatches } from "./stream.ts";

/** How often a change is sent while no response comes. */
const ATTEMPTS = 3;

type Needs = Pick<Requests, "call" | "leaderGet" | "publish" | "publishBatch">;

/**
 * Stores messages, all or none of them.
 *
 * A change without a response may still land. Therefore the same messages are sent again: only one of them can land, because
 * each expects the same end of the stream, and a conflict then leads to a look at the leader.
 *
 * @param last The stream's last sequence that the change was planned on.
 * @returns Whether they are stored; if not, somebody else changed something first.
 * @throws Unanswered if nobody says; other errors of JetStream if nothing was stored
 */
export async function commitRecords(
  requests: Needs,
  messages: readonly BatchMessage[],
  last: number,
): Promise<boolean> {
  const batch = messages.map((message, i) => i > 0 ? message : { ...message, expectLast: last });
  let doubt: Unanswered | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      await send(requests, batch);
      return true;
    } catch (cause) {
      if (isConflict(cause)) return doubt !== undefined && await hasLanded(requests, batch);
      if (!(cause instanceof Unanswered)) throw cause;
      doubt = cause;
    }
  }
  if (await hasLanded(requests, batch)) return true;
  throw doubt;
}

async function send(requests: Needs, batch: readonly BatchMessage[]): Promise<void> {
  const [first, ...others] = batch;
  if (first === undefined) return;
  if (others.length === 0) {
    const { subject, data, ...options } = first;
    await requests.publish(subject, data, options);
    return;
  }
  try {
    await requests.publishBatch(batch);
  } catch (cause) {
    const isDisabled = cause instanceof JetStreamError &&
      cause.code === JetStreamCode.BatchesDisabled;
    if (!isDisabled) throw cause;
    await allowBatches(requests); // somebody else made the KV bucket
    await requests.publishBatch(batch);
  }
}

/** Returns whether the leader has a record as it is in a batch. */
async function hasLanded(requests: Needs, batch: readonly BatchMessage[]): Promise<boolean> {
  const sought = batch.find(({ data }) => data !== "") ?? batch[0];
  if (sought === undefined) return true;
  const found = await requests.leaderGet(USERS_STREAM, { last_by_subj: sought.subject });
  return found !== undefined && textOf(found.data) === sought.data;
}
