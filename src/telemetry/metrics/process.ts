/**
 * Metrics of the process: version, memory, processor time, the event loop and the log.
 * @module
 */

import process from "node:process";
import { getHeapStatistics } from "node:v8";
import type { Metrics } from "./registry.ts";

/** Statistics that are read when metrics are rendered. */
export type ProcessStats = {
  readonly version: string;
  /** Log lines that were dropped because the output was not being read. */
  readonly droppedLines: number;
};

/** Adds the metrics of the process. The event loop is watched until the result is disposed. */
export function addProcessMetrics(registry: Metrics, read: () => ProcessStats): Disposable {
  registry.gauge(
    "nats_s3_build_info",
    "Always 1; the label is the gateway's version.",
    ["version"],
    () => [[[read().version], 1]],
  );
  registry.readCounter(
    "nats_s3_log_dropped_lines_total",
    "Log lines dropped because the output was not being read.",
    [],
    () => read().droppedLines,
  );
  addResources(registry);
  return watchEventLoop(registry);
}

/** Adds the process metrics that Prometheus clients agree on, as far as the permissions allow. */
function addResources(registry: Metrics): void {
  registry.readCounter(
    "process_cpu_seconds_total",
    "Processor time that the process has used.",
    [],
    () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  );
  registry.gauge("process_resident_memory_bytes", "Resident memory of the process.", [], () => {
    return Deno.memoryUsage().rss;
  });
  registry.gauge("process_heap_bytes", "Used memory of the JavaScript heap.", [], () => {
    return Deno.memoryUsage().heapUsed;
  });
  registry.gauge(
    "nats_s3_heap_limit_bytes",
    "Size of the JavaScript heap at which the process ends.",
    [],
    () => getHeapStatistics().heap_size_limit,
  );
  registry.gauge("nats_s3_external_memory_bytes", "Memory of buffers outside the heap.", [], () => {
    return Deno.memoryUsage().external;
  });
  registry.gauge(
    "process_start_time_seconds",
    "Start of the process, in seconds since 1970.",
    [],
    () => performance.timeOrigin / 1000,
  );
}

/** Milliseconds between two measurements of the event loop. */
const LOOP_INTERVAL = 500;
const LOOP_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** Measures how late timers fire: `monitorEventLoopDelay()` of Deno 2.9.6 measures nothing. */
function watchEventLoop(registry: Metrics): Disposable {
  const delays = registry.histogram(
    "nats_s3_event_loop_delay_seconds",
    "Delay of timers, measured twice a second: time in which the process could do nothing else.",
    [],
    LOOP_SECONDS,
  );
  let due = performance.now() + LOOP_INTERVAL;
  const timer = setInterval(() => {
    const now = performance.now();
    delays.observe([], Math.max(0, now - due) / 1000);
    due = now + LOOP_INTERVAL;
  }, LOOP_INTERVAL);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
