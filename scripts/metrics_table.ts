/**
 * Formats the table of all metrics, for docs/metrics.md.
 * @module
 */

import { addGatewayMetrics } from "../src/gateway_metrics.ts";
import { type Described, Metrics } from "../src/telemetry/metrics/registry.ts";

/** A description needs no values. */
function unread(): never {
  throw new TypeError("A description of metrics reads no values");
}

/** Returns a description of every metric of a gateway. */
export function describeMetrics(): readonly Described[] {
  const registry = new Metrics();
  using _watch = addGatewayMetrics(registry, {
    requests: unread,
    jetStream: unread,
    store: unread,
    process: unread,
    accessLog: unread,
    audit: undefined,
    tracing: undefined,
  });
  return registry.described;
}

/** Returns the table, in the order of the page. */
export function formatMetricsTable(): string {
  return [
    "| Metric | Kind | Labels | Meaning |",
    "| --- | --- | --- | --- |",
    ...describeMetrics().map(({ name, kind, labels, help }) =>
      `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`
    ),
  ].join("\n");
}
