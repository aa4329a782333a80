/**
 * One gateway at a time: a record that whoever writes it first holds until it expires or is given up.
 * @module
 */

import { isConflict, JetStreamError } from "../jetstream/errors.ts";
import { textOf } from "../jetstream/messages.ts";
import { records } from "../layout/subjects.ts";
import type { BucketsContext } from "./context.ts";
import type { BucketStream } from "./streams.ts";

/** A lock that is held. */
export type TaskLock = {
  /** Of the message that holds it. */
  readonly sequence: number;
  /** Holds it for its whole time again. Returns false when it was lost. */
  readonly renew: () => Promise<boolean>;
  /** Holds it for ever: there is no way back. Returns false when it was lost. */
  readonly keep: () => Promise<boolean>;
  readonly release: () => Promise<void>;
};

/** What the record of a lock says that is held for ever. */
const KEPT = "kept";

/** Sequence of a lock that is held for ever, by whomever; undefined where there is none. */
export async function readKeptLock(
  { requests }: Pick<BucketsContext, "requests">,
  { store, stream }: BucketStream,
  task: string,
): Promise<number | undefined> {
  const record = await requests.leaderGet(stream, { last_by_subj: records.lock(store, task) });
  return record !== undefined && textOf(record.data) === KEPT ? record.sequence : undefined;
}

/**
 * Takes a bucket's lock for a task, or returns undefined when another gateway holds it.
 *
 * @param seconds How long it lasts unless it is renewed.
 */
export async function lockTask(
  { requests }: Pick<BucketsContext, "requests">,
  { store, stream }: BucketStream,
  task: string,
  seconds: number,
): Promise<TaskLock | undefined> {
  const subject = records.lock(store, task);
  const ttl = `${seconds}s`;
  let sequence: number;
  const take = async (expect: number, kept = false): Promise<boolean> => {
    const options = { expect, rollup: true, ...(!kept && { ttl }) };
    try {
      sequence = await requests.publish(subject, kept ? KEPT : "", options);
      return true;
    } catch (cause) {
      if (isConflict(cause)) return false;
      throw cause;
    }
  };
  if (!await take(0)) return undefined;
  return {
    get sequence() {
      return sequence;
    },
    renew: () => take(sequence),
    keep: () => take(sequence, true),
    async release() {
      try {
        await requests.call(`STREAM.MSG.DELETE.${stream}`, { seq: sequence, no_erase: true });
      } catch (cause) {
        if (!(cause instanceof JetStreamError)) throw cause; // it has expired
      }
    },
  };
}
