/**
 * Starts the background workers that the configuration asks for.
 * @module
 */

import type { Maintenance } from "../store/maintenance.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import type { StoreMetrics } from "../telemetry/metrics/store.ts";
import { emptyTrashes } from "./empty_trash.ts";
import { flattenObjects } from "./flatten.ts";
import { carryOutLifecycles, type LifecycleObserver, type LifecycleStore } from "./lifecycle.ts";
import { type ResealedUsers, resealUsers } from "./reseal_users.ts";
import { sweepBuckets, type SweepSchedule } from "./sweep.ts";

/** The settings of the workers. */
export type WorkerSettings = {
  /** Milliseconds for which replaced bytes stay. */
  readonly grace: number;
  /** `off` if objects are never rewritten for native clients. */
  readonly nativeLayout: string;
  /** An interval of 0 means never. */
  readonly sweep: SweepSchedule;
  /** Milliseconds of a day of lifecycle rules; nobody carries them out without it. */
  readonly lifecycle?: { readonly day: number };
};

/** What the workers work with. */
export type WorkerParts = {
  readonly store: Maintenance & LifecycleStore & Pick<Store, "listBuckets">;
  /** Undefined if secrets of users are not sealed. */
  readonly users: ResealedUsers | undefined;
  readonly metrics: Pick<StoreMetrics, "emptiedTrash" | "flattened" | "swept"> & {
    readonly lifecycle?: LifecycleObserver;
  };
  readonly log: Log;
  readonly signal: AbortSignal;
};

/** Starts the background workers; resolves when all of them have ended. */
export async function startWorkers(
  { grace, nativeLayout, sweep, lifecycle }: WorkerSettings,
  { store, users, metrics, log, signal }: WorkerParts,
): Promise<void> {
  const { lifecycle: observe } = metrics;
  const workers = [emptyTrashes(store, { grace, log, signal, report: metrics.emptiedTrash })];
  if (lifecycle !== undefined && observe !== undefined) {
    workers.push(carryOutLifecycles(store, { ...lifecycle, log, signal, observe }));
  }
  if (nativeLayout !== "off") {
    workers.push(flattenObjects(store, { log, signal, report: metrics.flattened }));
  }
  if (sweep.interval > 0) {
    workers.push(sweepBuckets(store, { ...sweep, log, signal, report: metrics.swept }));
  }
  if (users !== undefined) workers.push(resealUsers(users, { log, signal }));
  await Promise.all(workers);
}
