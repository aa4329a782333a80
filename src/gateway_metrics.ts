/**
 * Every metric of a gateway, in one place.
 * @module
 */

import type { CallObserver } from "./nats/jetstream/call_observer.ts";
import { failureOf, JetStreamError } from "./nats/jetstream/errors.ts";
import { describeCall } from "./nats/layout/call_subject.ts";
import { addAuditMetrics } from "./nats/monitoring/audit.ts";
import { type AccessLogStats, addAccessLogMetrics } from "./telemetry/metrics/access_log.ts";
import {
  addJetStreamMetrics,
  type CallCounter,
  type JetStreamStats,
} from "./telemetry/metrics/jetstream.ts";
import { addLifecycleMetrics, type LifecycleMetrics } from "./telemetry/metrics/lifecycle.ts";
import { addProcessMetrics, type ProcessStats } from "./telemetry/metrics/process.ts";
import type { Metrics } from "./telemetry/metrics/registry.ts";
import {
  addRequestMetrics,
  type RequestMetrics,
  type RequestStats,
} from "./telemetry/metrics/requests.ts";
import { addStoreMetrics, type StoreMetrics, type StoreStats } from "./telemetry/metrics/store.ts";
import { addTraceMetrics, type RequestTracing } from "./telemetry/request_trace.ts";

/** The sources of {@linkcode addGatewayMetrics}, read when metrics are rendered. */
export type MetricsSources = {
  readonly requests: () => RequestStats;
  readonly jetStream: () => JetStreamStats;
  readonly store: () => StoreStats;
  readonly process: () => ProcessStats;
  readonly accessLog: () => AccessLogStats;
  readonly audit: Parameters<typeof addAuditMetrics>[1];
  readonly tracing: Parameters<typeof addTraceMetrics>[1];
};

/** The counters of a gateway. Disposing them ends the watch over the event loop. */
export type GatewayMetrics = RequestMetrics & StoreMetrics & Disposable & {
  readonly call: CallCounter;
  readonly lifecycle: LifecycleMetrics;
};

/** Adds every metric of a gateway, in the order in which `/metrics` and docs/metrics.md show them. */
export function addGatewayMetrics(registry: Metrics, sources: MetricsSources): GatewayMetrics {
  const requests = addRequestMetrics(registry, sources.requests);
  const call = addJetStreamMetrics(registry, sources.jetStream);
  const store = addStoreMetrics(registry, sources.store);
  const lifecycle = addLifecycleMetrics(registry);
  const process = addProcessMetrics(registry, sources.process);
  addAccessLogMetrics(registry, sources.accessLog);
  addAuditMetrics(registry, sources.audit);
  addTraceMetrics(registry, sources.tracing);
  return {
    ...requests,
    ...store,
    call,
    lifecycle,
    [Symbol.dispose]: () => process[Symbol.dispose](),
  };
}

/** Counts and traces the calls of JetStream. */
export function observeCalls(
  count: CallCounter,
  tracing: RequestTracing | undefined,
): CallObserver {
  return ({ method, subject, size }) => {
    const began = performance.now();
    const traced = tracing?.current?.call({ method, size, ...describeCall(method, subject) });
    return (error, received) => {
      const seconds = (performance.now() - began) / 1000;
      const failure = error === undefined ? undefined : failureOf(error);
      count(method, seconds, failure);
      const code = error instanceof JetStreamError ? error.code : undefined;
      traced?.({ failure, code, received });
    };
  };
}
