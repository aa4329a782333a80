/**
 * The table of all metrics, for docs/metrics.md.
 * @module
 */

import { createGatewayMetrics, type Figures } from "../src/telemetry/metrics/gateway_metrics.ts";
import { addAuditMetrics } from "../src/nats/monitoring/audit.ts";
import { SILENT_LOG } from "../src/telemetry/log.ts";
import type { Described } from "../src/telemetry/metrics/registry.ts";
import { createRequestTracing } from "../src/telemetry/request_trace.ts";

/** Where nothing is read: a description needs no value. */
export const NO_FIGURES: Figures = {
  version: "",
  inFlight: { count: 0, limit: 0 },
  isReady: () => false,
  stalled: { sources: 0, readers: 0 },
  store: () => ({
    index: { buckets: 0, keys: 0, bytes: 0, pending: 0 },
    buffered: { read: 0, ahead: 0, write: 0 },
    trashedBuckets: 0,
    waitingTrash: 0,
    waitingForLayout: 0,
    layoutBytes: 0,
  }),
  nats: () => ({
    isConnected: false,
    reconnects: 0,
    roundTrip: undefined,
    inBytes: 0,
    outBytes: 0,
  }),
  droppedLines: () => 0,
};

/** Every metric that a gateway can show. */
export function describeMetrics(): readonly Described[] {
  using metrics = createGatewayMetrics(NO_FIGURES);
  const parts = { version: "", log: SILENT_LOG, metrics: metrics.metrics };
  addAuditMetrics(metrics.metrics, undefined);
  createRequestTracing(undefined, parts);
  return metrics.described;
}

/** The table, in the order of the page. */
export function formatMetricsTable(): string {
  return [
    "| Metric | Kind | Labels | Meaning |",
    "| --- | --- | --- | --- |",
    ...describeMetrics().map(({ name, kind, labels, help }) =>
      `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`
    ),
  ].join("\n");
}
