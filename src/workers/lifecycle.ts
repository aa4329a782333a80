/**
 * Carries out the lifecycle rules of all buckets, once a day after midnight UTC, and when they change. One gateway at a time
 * works on a bucket. What a gateway leaves that dies, another one continues within the hour.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html
 *
 * The time that counts is the store's, as for times of modification, never this machine's.
 * @module
 */

import { isS3Error } from "../s3/errors.ts";
import type { LifecycleRule } from "../s3/lifecycle.ts";
import { parseKeptLifecycle } from "../s3/lifecycle_document.ts";
import type { BucketName } from "../s3/names.ts";
import type { Maintenance } from "../store/maintenance.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { every } from "./every.ts";
import {
  type ExpiringStore,
  RulesChanged,
  runLifecycle,
  type RunObserver,
} from "./lifecycle_run.ts";
import { digestOf, formatState, type LifecycleState, parseState } from "./lifecycle_state.ts";
import { Pace } from "./pace.ts";

/** The part of a store that lifecycles use. */
export type LifecycleStore =
  & ExpiringStore
  & Pick<Store, "listBuckets" | "putDocument">
  & Pick<Maintenance, "claimLifecycle" | "serverTime">;

/** What is late, in all buckets. */
export type LifecycleLag = {
  /** Versions, markers and uploads that were due a day before the last run or longer, and could not be removed. */
  readonly overdue: number;
  /** Buckets whose last run was the day before yesterday or earlier. */
  readonly lateBuckets: number;
};

/** Counts what lifecycles do. */
export type LifecycleObserver = RunObserver & {
  readonly ran: (result: "done" | "failed") => void;
  readonly looked: (lag: LifecycleLag) => void;
};

/** Settings of {@linkcode carryOutLifecycles}. */
export type LifecycleSettings = {
  /** Milliseconds of a day. */
  readonly day: number;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly observe: LifecycleObserver;
};

/** Looks per day for buckets whose rules are due. */
const LOOKS = 24;
/** Share of the time in which a run works, and how much it does at most per second. */
const SHARE = 0.25;
const RATE = 500;

/** Carries out the rules until the signal aborts. */
export function carryOutLifecycles(
  store: LifecycleStore,
  settings: LifecycleSettings,
): Promise<void> {
  const { day, log, signal, observe } = settings;
  return every(day / LOOKS, signal, async () => {
    let [overdue, lateBuckets] = [0, 0];
    for (const { name } of await store.listBuckets()) {
      if (signal.aborted) return;
      try {
        const looked = await lookAt(store, name, settings);
        overdue += looked?.overdue ?? 0;
        if (looked?.isLate === true) lateBuckets++;
      } catch (cause) {
        if (signal.aborted) return;
        if (isS3Error(cause, "NoSuchBucket")) continue;
        observe.ran("failed");
        log.warn("Lifecycle rules were not carried out", { bucket: name, cause });
      }
    }
    observe.looked({ overdue, lateBuckets });
  }, (cause) => {
    observe.ran("failed");
    log.warn("Lifecycle rules were not carried out", { cause });
  });
}

/** Carries out the rules of a bucket if they are due, and returns what is late then; undefined without rules. */
async function lookAt(
  store: LifecycleStore,
  bucket: BucketName,
  settings: LifecycleSettings,
): Promise<{ readonly overdue: number; readonly isLate: boolean } | undefined> {
  const text = await store.readDocument(bucket, "lifecycle");
  if (text === undefined) return undefined;
  const rules = parseKeptLifecycle(text).rules.filter(({ isEnabled }) => isEnabled);
  if (rules.length === 0) return undefined;
  const digest = digestOf(text);
  const now = await store.serverTime(bucket);
  const today = Math.floor(now.getTime() / settings.day);
  const readState = async (): Promise<LifecycleState | undefined> =>
    parseState(await store.readDocument(bucket, "lifecycleRun"));
  let state = await readState();
  if (!isUpToDate(state, digest, today)) {
    const claim = await store.claimLifecycle(bucket);
    if (claim !== undefined) {
      try {
        state = await readState(); // another gateway may just have ended
        if (!isUpToDate(state, digest, today)) {
          const fresh = { rules: digest, day: today, isDone: false, after: "", overdue: 0 };
          const isBegun = state !== undefined && state.rules === digest && !state.isDone;
          const begin = isBegun && state !== undefined ? state : fresh;
          state = await run(store, bucket, { ...settings, text, rules, now, begin });
        }
      } catch (cause) {
        if (!(cause instanceof RulesChanged)) throw cause; // the next look begins anew
      } finally {
        await claim.release().catch(() => {}); // it expires
      }
    }
  }
  return {
    overdue: state?.overdue ?? 0,
    isLate: state !== undefined && today - state.day > 1,
  };
}

function isUpToDate(state: LifecycleState | undefined, digest: string, today: number): boolean {
  return state !== undefined && state.isDone && state.rules === digest && state.day === today;
}

async function run(
  store: LifecycleStore,
  bucket: BucketName,
  { text, rules, begin, now, day, log, signal, observe }: LifecycleSettings & {
    readonly text: string;
    readonly rules: readonly LifecycleRule[];
    readonly begin: LifecycleState;
    readonly now: Date;
  },
): Promise<LifecycleState> {
  const { turn } = new Pace({ share: SHARE, rate: RATE, signal });
  const save = async (state: LifecycleState): Promise<void> => {
    try {
      await store.putDocument(bucket, "lifecycleRun", formatState(state));
    } catch (cause) {
      if (isS3Error(cause, "NoSuchBucket")) throw cause;
      // Without it the next run begins at an earlier place.
      log.debug("The progress of lifecycle rules was not stored", { bucket, cause });
    }
  };
  let count = 0;
  const removed: RunObserver["removed"] = (kind) => {
    count++;
    observe.removed(kind);
  };
  const counting = { ...observe, removed };
  const ended = await runLifecycle(store, bucket, {
    rules,
    begin,
    now,
    day,
    turn,
    observe: counting,
    log,
    isInForce: async () => await store.readDocument(bucket, "lifecycle") === text,
    save,
  });
  await save(ended);
  observe.ran("done");
  if (count > 0) log.info("Carried out lifecycle rules", { bucket, removed: count });
  else log.debug("Carried out lifecycle rules", { bucket });
  return ended;
}
