/**
 * Metrics of the connection to NATS and of JetStream calls.
 * @module
 */

import type { Metrics } from "./registry.ts";

const CALL_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 4];

/** The ways in which a JetStream call fails. */
export const CALL_FAILURES = [
  "conflict",
  "full",
  "no_responders",
  "not_connected",
  "not_permitted",
  "other",
  "refused",
  "unanswered",
  "unavailable",
] as const;
/** One of {@linkcode CALL_FAILURES}. */
export type CallFailure = typeof CALL_FAILURES[number];

/** Statistics of the connection to NATS. */
export type ConnectionStats = {
  readonly isConnected: boolean;
  readonly reconnects: number;
  /** Seconds of the last ping; undefined before the first one has returned. */
  readonly roundTrip: number | undefined;
  readonly inBytes: number;
  readonly outBytes: number;
};

/** Statistics that are read when metrics are rendered. */
export type JetStreamStats = {
  /** Whether the last check found that requests can be served. */
  readonly isReady: boolean;
  readonly connection: ConnectionStats;
};

/**
 * Counts a JetStream call that has ended.
 *
 * @param seconds Duration of the call.
 * @param failure Undefined for a call that succeeded.
 */
export type CallCounter = (
  method: string,
  seconds: number,
  failure: CallFailure | undefined,
) => void;

/** Adds the metrics of the connection and of JetStream calls. */
export function addJetStreamMetrics(registry: Metrics, read: () => JetStreamStats): CallCounter {
  registry.gauge(
    "nats_s3_ready",
    "1 while the gateway is connected to NATS and JetStream responds.",
    [],
    () => read().isReady ? 1 : 0,
  );
  addConnection(registry, () => read().connection);
  const durations = registry.histogram(
    "nats_s3_jetstream_call_duration_seconds",
    "Duration of JetStream calls, by method.",
    ["method"],
    CALL_SECONDS,
  );
  const failures = registry.counter(
    "nats_s3_jetstream_call_failures_total",
    "JetStream calls that failed, by method and kind of failure; a conflict is a compare-and-set that lost.",
    ["method", "failure"],
  );
  const seen = new Set<string>();
  return (method, seconds, failure) => {
    durations.observe([method], seconds);
    if (!seen.has(method)) {
      // rate() misses the first failure of a series that begins with it.
      seen.add(method);
      for (const kind of CALL_FAILURES) failures.add([method, kind], 0);
    }
    if (failure !== undefined) failures.add([method, failure]);
  };
}

function addConnection(registry: Metrics, read: () => ConnectionStats): void {
  registry.gauge(
    "nats_s3_nats_connected",
    "1 while the gateway is connected to NATS.",
    [],
    () => read().isConnected ? 1 : 0,
  );
  registry.readCounter(
    "nats_s3_nats_reconnects_total",
    "Times that the connection to NATS was lost and restored.",
    [],
    () => read().reconnects,
  );
  registry.gauge(
    "nats_s3_nats_round_trip_seconds",
    "Duration of the last ping to the NATS server and back.",
    [],
    () => read().roundTrip ?? NaN,
  );
  registry.readCounter(
    "nats_s3_nats_received_bytes_total",
    "Bytes of messages received from NATS.",
    [],
    () => read().inBytes,
  );
  registry.readCounter(
    "nats_s3_nats_sent_bytes_total",
    "Bytes of messages sent to NATS.",
    [],
    () => read().outBytes,
  );
}
