/**
 * Carries out the lifecycle rules of one bucket once.
 *
 * Everything goes through the store's own methods, as if a client deleted it, so locks protect what they protect. A crash at
 * any point leaves a bucket in which some of what is due is gone; the next run removes the rest.
 * @module
 */

import { isS3Error } from "../s3/errors.ts";
import type { LifecycleRule } from "../s3/lifecycle.ts";
import type { BucketName, ObjectKey } from "../s3/names.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { monotonic } from "../world/world.ts";
import type { Due, DueKind, WalkedStore, WalkOptions } from "./lifecycle_judge.ts";
import type { LifecycleState } from "./lifecycle_state.ts";
import { walkKey, walkUploads, walkVersions } from "./lifecycle_walk.ts";

/** The part of a store that a run changes. */
export type ExpiringStore = WalkedStore & Pick<Store, "abortUpload" | "deleteObject">;

/** Why something that is due stays: it is locked, or an error occurred. */
export type KeptReason = "locked" | "failed";

/** Counts what a run does. */
export type RunObserver = {
  readonly removed: (kind: DueKind) => void;
  readonly kept: (reason: KeptReason) => void;
};

/** How to run. */
export type RunOptions = {
  readonly rules: readonly LifecycleRule[];
  /** Where an earlier run ended. */
  readonly begin: LifecycleState;
  /** The store's time. */
  readonly now: Date;
  /** Milliseconds. */
  readonly day: number;
  /** Runs so many requests at a time, one by default, when their turn comes. */
  readonly turn: <T>(work: () => Promise<T>, count?: number) => Promise<T>;
  readonly observe: RunObserver;
  readonly log: Pick<Log, "warn">;
  /** Tells whether the rules are those of the bucket still. */
  readonly isInForce: () => Promise<boolean>;
  /** Called from time to time with how far it came. */
  readonly save: (state: LifecycleState) => Promise<void>;
};

/** Milliseconds between two notes of how far a run came. */
const SAVE_INTERVAL = 30_000;
/** Errors one after another after which a run ends. */
const MAX_FAILURES = 20;
/** Things that are removed at a time. The rules are looked at before, so no more go by rules that have changed. */
export const PARALLEL = 4;
/** Keys that changed while they were judged and are judged again at the end. */
const MAX_CHANGED = 10_000;

/** The rules of the bucket are others now, or there are none. */
export class RulesChanged extends Error {
  override readonly name = "RulesChanged";
}

/**
 * Removes what is due and returns the state at the end.
 *
 * @throws RulesChanged if the rules are not in force any more; what was at work then is removed still
 */
export async function runLifecycle(
  store: ExpiringStore,
  bucket: BucketName,
  { rules, begin, now, day, turn, observe, log, isInForce, save }: RunOptions,
): Promise<LifecycleState> {
  const late = now.getTime() - day;
  let changed = new Set<ObjectKey>();
  let failures = 0;
  let state = begin;
  const visit = async (due: Due): Promise<boolean> => {
    const outcome = await remove(store, bucket, due).catch((cause: unknown) => {
      if (isS3Error(cause, "NoSuchBucket") || !isS3Error(cause) || ++failures >= MAX_FAILURES) {
        throw cause;
      }
      log.warn("Something expired and could not be removed", {
        bucket,
        key: due.key,
        kind: due.kind,
        cause,
      });
      return "failed" as const;
    });
    if (outcome === "removed") {
      failures = 0;
      observe.removed(due.kind);
      return true;
    }
    if (outcome === "changed") {
      if (changed.size < MAX_CHANGED) changed.add(due.key);
      return false;
    }
    observe.kept(outcome);
    if (due.expiry.at.getTime() <= late) state = { ...state, overdue: state.overdue + 1 };
    return false;
  };
  const batch: WalkOptions["batch"] = (count, work) =>
    turn(async () => {
      if (!await isInForce()) throw new RulesChanged("the rules have changed");
      return await work();
    }, count);
  const walk: WalkOptions = { rules, now, day, visit, turn, batch, parallel: PARALLEL };
  let saved = monotonic();
  if (begin.after === "") await walkUploads(store, bucket, walk);
  changed.clear(); // an upload that is gone has nothing to be judged again
  await walkVersions(store, bucket, walk, begin.after, async (after) => {
    state = { ...state, after };
    if (monotonic() - saved < SAVE_INTERVAL) return;
    await save(state);
    saved = monotonic();
  });
  const again = changed;
  changed = new Set();
  for (const key of again) await walkKey(store, bucket, key, walk);
  return { ...state, isDone: true, after: "" };
}

/** Removes one thing that is due. */
async function remove(
  store: ExpiringStore,
  bucket: BucketName,
  { key, uploadId, versionId, precondition }: Due,
): Promise<"removed" | "changed" | "locked"> {
  try {
    if (uploadId !== undefined) await store.abortUpload(bucket, key, uploadId);
    else await store.deleteObject(bucket, key, { precondition, versionId });
    return "removed";
  } catch (cause) {
    if (isS3Error(cause, "AccessDenied")) return "locked";
    if (isS3Error(cause, "PreconditionFailed", "NoSuchKey", "NoSuchUpload")) return "changed";
    throw cause;
  }
}
