/**
 * Sweeps every bucket at intervals, each by one gateway at a time.
 * @module
 */

import { isS3Error } from "../s3/errors.ts";
import type { Maintenance, Store, SweepReport } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { every } from "./every.ts";

/** What sweeps need of a store. */
export type Sweepable = Pick<Store, "listBuckets"> & Pick<Maintenance, "sweep" | "claimSweep">;

/** How often, and what is left alone. Milliseconds. */
export type SweepSchedule = {
  readonly interval: number;
  readonly minAge: number;
  readonly uploadExpiry: number | undefined;
};

/** Sweeps until the signal aborts. */
export function sweepOrphans(
  store: Sweepable,
  { interval, log, signal, report, ...options }: SweepSchedule & {
    readonly log: Log;
    readonly signal: AbortSignal;
    /** Told of each sweep of a bucket; undefined of one that failed, or of buckets that could not be listed. */
    readonly report?: (report: SweepReport | undefined) => void;
  },
): Promise<void> {
  return every(interval, signal, async () => {
    for (const { name } of await store.listBuckets()) {
      if (signal.aborted) return;
      try {
        if (!await store.claimSweep(name, interval)) continue;
        const swept = await store.sweep(name, { ...options, dryRun: false });
        report?.(swept);
        logReport(log, swept);
      } catch (cause) {
        if (isS3Error(cause, "NoSuchBucket")) continue;
        report?.(undefined);
        log.warn("Bucket was not swept", { bucket: name, cause });
      }
    }
  }, (cause) => {
    report?.(undefined);
    log.warn("Buckets were not swept", { cause });
  });
}

function logReport(log: Log, { stopped, ...report }: SweepReport): void {
  if (stopped !== undefined) log.warn("Sweep stopped", { ...report, reason: stopped });
  else if (report.trash + report.uploads + report.groups + report.records > 0) {
    log.info("Swept", report);
  } else log.debug("Swept", report);
}
