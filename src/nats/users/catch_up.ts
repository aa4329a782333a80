/**
 * Waits until a reading of the KV bucket has reached what the leader of its stream reported.
 * @module
 */

import { monotonic } from "../../world/world.ts";
import { Unanswered } from "../jetstream/errors.ts";
import type { Requests } from "../jetstream/requests.ts";
import { USERS_STREAM } from "../layout/user_subjects.ts";
import type { Reading } from "./reading.ts";
import type { UsersState } from "./stream.ts";

/** Milliseconds for which a reading may lag behind the leader before the leader is asked for what is missing. */
const LAG = 250;

/**
 * Waits until a reading has reached a state.
 *
 * @param deadline In monotonic time.
 * @returns `differs` if the stream has another history than the reading, or its consumer delivers nothing more
 * @throws Unanswered, or the reason why the consumer cannot go on, after the deadline; errors of JetStream
 */
export async function catchUp(
  requests: Pick<Requests, "leaderGet">,
  reading: Reading,
  state: UsersState,
  deadline: number,
): Promise<"reached" | "differs"> {
  while (!isCurrent(reading, state)) {
    const left = deadline - monotonic();
    if (left <= 0) {
      throw reading.failure ?? new Unanswered(USERS_STREAM, "the reading of users lags behind");
    }
    const { snapshot } = reading;
    if (snapshot === undefined) {
      await reading.next(left);
    } else if (snapshot.last >= state.last) {
      return "differs";
    } else {
      await reading.next(Math.min(left, LAG));
      if (reading.snapshot === snapshot && !await endsAt(requests, reading, state)) {
        return "differs";
      }
    }
  }
  return "reached";
}

/** Returns whether a reading is at a state, or ahead of it because the leader's answer took its time. */
function isCurrent(reading: Reading, state: UsersState): boolean {
  const { snapshot } = reading;
  if (snapshot === undefined || reading.created !== state.created) return false;
  return snapshot.last > state.last || reading.isAt(state);
}

/** Asks the leader whether nothing is behind the last message of a reading. */
async function endsAt(
  requests: Pick<Requests, "leaderGet">,
  reading: Reading,
  state: UsersState,
): Promise<boolean> {
  const seq = (reading.snapshot?.last ?? 0) + 1;
  if (await requests.leaderGet(USERS_STREAM, { seq, next_by_subj: ">" }) !== undefined) {
    return false;
  }
  reading.noteEnd(state);
  return isCurrent(reading, state);
}
