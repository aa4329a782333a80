/**
 * Locks: a task of a bucket runs on one gateway at a time. The first gateway to write the lock's record holds it until the
 * record expires or the gateway gives it up.
 * @module
 */

import { monotonic, startTicker, stopTicker } from "../../world/world.ts";
import { isConflict, JetStreamError, Unanswered } from "../jetstream/errors.ts";
import { textOf } from "../jetstream/messages.ts";
import type { Requests } from "../jetstream/requests.ts";
import type { StoreName } from "../layout/names.ts";
import { records } from "../layout/subjects.ts";

type LockContext = { readonly requests: Requests };
type LockedStream = { readonly store: StoreName; readonly stream: string };

/** A lock that this gateway holds. Its methods run one after another. */
export type TaskLock = {
  /** Sequence of the message that holds it. */
  readonly sequence: number;
  /** Starts its time again. Returns false if the lock was lost. */
  readonly renew: () => Promise<boolean>;
  /** Holds it forever: there is no way back. Returns false if the lock was lost. */
  readonly keep: () => Promise<boolean>;
  readonly release: () => Promise<void>;
};

/** Content of the record of a lock that is held forever. */
const KEPT = "kept";

/** Returns the sequence of a lock that some gateway holds forever; undefined if there is none. */
export async function readKeptLock(
  { requests }: LockContext,
  { store, stream }: LockedStream,
  task: string,
): Promise<number | undefined> {
  const record = await requests.leaderGet(stream, { last_by_subj: records.lock(store, task) });
  return record !== undefined && textOf(record.data) === KEPT ? record.sequence : undefined;
}

/**
 * Takes a bucket's lock for a task. Returns undefined if another gateway holds it.
 *
 * @param seconds How long the lock lasts unless it is renewed.
 */
export async function lockTask(
  { requests }: LockContext,
  { store, stream }: LockedStream,
  task: string,
  seconds: number,
): Promise<TaskLock | undefined> {
  const subject = records.lock(store, task);
  const ttl = `${seconds}s`;
  let sequence: number;
  /** Until then nobody else can have the lock, in monotonic time. */
  let safeUntil = 0;
  let isInDoubt = false;
  const take = async (expect: number, kept = false): Promise<boolean> => {
    const options = { expect, rollup: true, ...(!kept && { ttl }) };
    const until = monotonic() + seconds * 1000;
    try {
      sequence = await requests.publish(subject, kept ? KEPT : "", options);
      [safeUntil, isInDoubt] = [until, false];
      return true;
    } catch (cause) {
      if (cause instanceof Unanswered) isInDoubt = true;
      if (isConflict(cause)) return false;
      throw cause;
    }
  };
  const takeAgain = async (kept = false): Promise<boolean> => {
    if (await take(sequence, kept)) return true;
    if (!isInDoubt || monotonic() >= safeUntil) return false;
    // An earlier call got no response. It was stored, because nobody else can have written since.
    const record = await requests.leaderGet(stream, { last_by_subj: subject });
    return record !== undefined && await take(record.sequence, kept);
  };
  if (!await take(0)) return undefined;
  return inTurn({
    get sequence() {
      return sequence;
    },
    renew: () => takeAgain(),
    keep: () => takeAgain(true),
    async release() {
      try {
        await requests.call(`STREAM.MSG.DELETE.${stream}`, { seq: sequence, no_erase: true });
      } catch (cause) {
        if (!(cause instanceof JetStreamError)) throw cause; // it has expired
      }
    },
  });
}

/** Returns a lock whose methods run one after another. */
export function inTurn(lock: TaskLock): TaskLock {
  let running: Promise<unknown> = Promise.resolve();
  const next = <T>(work: () => Promise<T>): Promise<T> => {
    const done = running.then(work);
    running = done.catch(() => {});
    return done;
  };
  return {
    get sequence() {
      return lock.sequence;
    },
    renew: () => next(lock.renew),
    keep: () => next(lock.keep),
    release: () => next(lock.release),
  };
}

/**
 * Renews a lock in the background until the returned object is disposed.
 *
 * @param seconds How long the lock lasts unless it is renewed.
 * @param lost Called if another gateway may hold the lock.
 */
export function keepRenewing(lock: TaskLock, seconds: number, lost: () => void): Disposable {
  const ticker = startTicker(seconds * 1000 / 4, () => {
    lock.renew().then((isHeld) => isHeld || lost(), () => {}); // the next one may succeed
  });
  return { [Symbol.dispose]: () => stopTicker(ticker) };
}
