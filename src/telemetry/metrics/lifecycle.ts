/**
 * Metrics of the worker that carries out lifecycle rules.
 * @module
 */

import type { Metrics } from "./registry.ts";

/** Counters of lifecycle rules. */
export type LifecycleMetrics = {
  readonly removed: (kind: "object" | "version" | "marker" | "upload") => void;
  readonly kept: (reason: "locked" | "failed") => void;
  readonly ran: (result: "done" | "failed") => void;
  /** Replaces what is late. */
  readonly looked: (lag: { readonly overdue: number; readonly lateBuckets: number }) => void;
};

/** Adds the metrics of lifecycle rules. */
export function addLifecycleMetrics(registry: Metrics): LifecycleMetrics {
  let lag = { overdue: 0, lateBuckets: 0 };
  const runs = registry.counter(
    "nats_s3_lifecycle_runs_total",
    "Times that this gateway carried out the lifecycle rules of a bucket, by result.",
    ["result"],
  );
  for (const result of ["done", "failed"]) runs.add([result], 0);
  const removed = registry.counter(
    "nats_s3_lifecycle_removed_total",
    "What lifecycle rules removed: current versions (object), noncurrent versions (version), delete markers without versions (marker), and incomplete uploads (upload).",
    ["kind"],
  );
  for (const kind of ["object", "version", "marker", "upload"]) removed.add([kind], 0);
  const kept = registry.counter(
    "nats_s3_lifecycle_kept_total",
    "Times that something expired stayed, because of object lock (locked) or an error (failed).",
    ["reason"],
  );
  for (const reason of ["locked", "failed"]) kept.add([reason], 0);
  registry.gauge(
    "nats_s3_lifecycle_overdue",
    "What the last run of each bucket left although it was due a day before or longer, because of object lock or an error.",
    [],
    () => lag.overdue,
  );
  registry.gauge(
    "nats_s3_lifecycle_late_buckets",
    "Buckets whose lifecycle rules no gateway has carried out since the day before yesterday.",
    [],
    () => lag.lateBuckets,
  );
  return {
    removed: (kind) => removed.add([kind]),
    kept: (reason) => kept.add([reason]),
    ran: (result) => runs.add([result]),
    looked: (now) => void (lag = now),
  };
}
