/**
 * The lock of a DeleteBucket: a record, or in a full bucket a mark in the stream's configuration.
 *
 * A record needs room, which a full bucket or account does not have. An update of the stream needs none, so there one
 * update sets the mark and the fence. A configuration has no compare-and-set: a gateway that sets a mark or a record looks
 * for the other one afterwards, and a gateway that relies on its mark reads it back.
 * @module
 */

import { uniqueId } from "../../world/world.ts";
import { isFull } from "../jetstream/errors.ts";
import type { Requests } from "../jetstream/requests.ts";
import type { StoreName } from "../layout/names.ts";
import { records } from "../layout/subjects.ts";
import { expiryOf, type Mark, markOf, readMark, withMark } from "./deletion_mark.ts";
import { inTurn, lockTask, readKeptLock, type TaskLock } from "./lock.ts";
import { isFenced, type StreamInfo, withFence } from "./stream_config.ts";

type LockContext = { readonly requests: Requests };
type Locked = { readonly store: StoreName; readonly stream: string };

const TASK = "delete";

/** Takes the lock. Returns undefined if another gateway holds it. */
export async function lockDeletion(
  context: LockContext,
  stream: Locked,
  seconds: number,
): Promise<TaskLock | undefined> {
  let lock: TaskLock | undefined;
  try {
    lock = await lockTask(context, stream, TASK, seconds);
  } catch (cause) {
    if (!isFull(cause)) throw cause;
    return await markDeletion(context, stream, seconds);
  }
  if (lock === undefined || readMark(stream.store, await readInfo(context, stream)) === undefined) {
    return lock;
  }
  await lock.release();
  return undefined;
}

/**
 * Returns the sequence from which on messages may stay if some gateway decided to delete the bucket; undefined if none
 * did.
 */
export async function readDecision(
  context: LockContext,
  stream: Locked,
): Promise<number | undefined> {
  const kept = await readKeptLock(context, stream, TASK);
  if (kept !== undefined) return kept;
  const info = await readInfo(context, stream);
  return readMark(stream.store, info)?.until === Infinity ? info.state.last_seq + 1 : undefined;
}

/** Takes the lock by a mark, which fences the bucket at the same time. */
async function markDeletion(
  context: LockContext,
  stream: Locked,
  seconds: number,
): Promise<TaskLock | undefined> {
  const holder = uniqueId();
  let sequence = 0;
  const isOurs = (info: StreamInfo): boolean => readMark(stream.store, info)?.holder === holder;
  const write = async (info: StreamInfo, until: number): Promise<boolean> => {
    await update(context, stream, info, { holder, until }, true);
    const after = await readInfo(context, stream);
    sequence = after.state.last_seq + 1;
    return isOurs(after);
  };
  const renew = async (isKept: boolean): Promise<boolean> => {
    const info = await readInfo(context, stream);
    return isOurs(info) && await write(info, isKept ? Infinity : expiryOf(info, seconds));
  };
  const release = async (): Promise<void> => {
    const info = await readInfo(context, stream);
    const isFencedNow = isFenced(stream.store, info.config);
    if (markOf(info)?.holder === holder) {
      await update(context, stream, info, undefined, isFencedNow);
    }
  };

  const info = await readInfo(context, stream);
  if (readMark(stream.store, info) !== undefined || await hasRecord(context, stream)) {
    return undefined;
  }
  if (!await write(info, expiryOf(info, seconds))) return undefined;
  if (await hasRecord(context, stream)) {
    await release(); // the fence is the other gateway's, and falls with its lock
    return undefined;
  }
  return inTurn({
    get sequence() {
      return sequence;
    },
    renew: () => renew(false),
    keep: () => renew(true),
    release,
  });
}

async function update(
  { requests }: LockContext,
  { store, stream }: Locked,
  { config }: StreamInfo,
  mark: Mark | undefined,
  fenced: boolean,
): Promise<void> {
  await requests.call(
    `STREAM.UPDATE.${stream}`,
    withMark(withFence(store, config, fenced), mark),
  );
}

async function readInfo({ requests }: LockContext, { stream }: Locked): Promise<StreamInfo> {
  return await requests.call<StreamInfo>(`STREAM.INFO.${stream}`);
}

async function hasRecord({ requests }: LockContext, { store, stream }: Locked): Promise<boolean> {
  const last_by_subj = records.lock(store, TASK);
  return await requests.leaderGet(stream, { last_by_subj }) !== undefined;
}
