/**
 * Sweeps every bucket at intervals. One gateway at a time sweeps a bucket.
 * @module
 */

import { isS3Error } from "../s3/errors.ts";
import type { Maintenance, SweepReport } from "../store/maintenance.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { every } from "./every.ts";

/** The part of a store that sweeps use. */
export type Sweepable = Pick<Store, "listBuckets"> & Pick<Maintenance, "sweep" | "claimSweep">;

/** When to sweep, and what to keep. All values are milliseconds. */
export type SweepSchedule = {
  /** Between two sweeps. */
  readonly interval: number;
  /** The sweep skips everything younger. */
  readonly minAge: number;
  /** Without a new part, an upload is aborted after this long; undefined for never. */
  readonly uploadExpiry: number | undefined;
};

/** Sweeps the buckets until the signal aborts. */
export function sweepBuckets(
  store: Sweepable,
  { interval, log, signal, report, ...options }: SweepSchedule & {
    readonly log: Log;
    readonly signal: AbortSignal;
    /** Called for each sweep of a bucket, with undefined if it failed or the buckets could not be listed. */
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

function logReport(
  log: Log,
  { bucket, dryRun, replaced, uploads, orphans, records, entries, stopped }: SweepReport,
): void {
  const counts = { trash: replaced, uploads, groups: orphans, records, messages: entries };
  const report = { bucket, dryRun, ...counts };
  if (stopped !== undefined) log.warn("Sweep stopped", { ...report, reason: stopped });
  else if (replaced + uploads + orphans + records > 0) {
    log.info("Swept", report);
  } else log.debug("Swept", report);
}
