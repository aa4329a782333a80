/**
 * Metrics of server access logs.
 * @module
 */

import type { Metrics } from "./registry.ts";

/**
 * Why lines are lost: too many waited (`memory`), their target could not be written for too long (`undeliverable`), or
 * the gateway stopped (`stopping`).
 */
export const LOG_LOSSES = ["memory", "undeliverable", "stopping"] as const;
/** One of {@linkcode LOG_LOSSES}. */
export type LogLoss = typeof LOG_LOSSES[number];

/** Numbers of an access log. */
export type AccessLogStats = {
  /** Bytes that waiting lines take. */
  readonly waiting: number;
  /** Lines. */
  readonly delivered: number;
  /** Lines. */
  readonly dropped: Readonly<Record<LogLoss, number>>;
};

/** Adds the metrics of server access logs. */
export function addAccessLogMetrics(registry: Metrics, read: () => AccessLogStats): void {
  registry.readCounter(
    "nats_s3_access_log_delivered_total",
    "Lines of server access logs that were stored in their target buckets.",
    [],
    () => read().delivered,
  );
  registry.readCounter(
    "nats_s3_access_log_dropped_total",
    "Lines of server access logs that were lost: too many waited (memory), the target bucket could not be written (undeliverable), or the gateway stopped (stopping).",
    ["reason"],
    () => {
      const { dropped } = read();
      return LOG_LOSSES.map((reason) => [[reason], dropped[reason]] as const);
    },
  );
  registry.gauge(
    "nats_s3_access_log_waiting_bytes",
    "Memory of the lines of server access logs that wait to be stored.",
    [],
    () => read().waiting,
  );
}
