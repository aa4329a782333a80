/**
 * The metrics of a gateway: the one place that names them. Dashboard, alerts and documents are held against it.
 *
 * No label holds a bucket, a key or anything else that a client chooses.
 * @module
 */

import process from "node:process";
import { getHeapStatistics } from "node:v8";
import type {
  FlattenOutcome,
  FlattenResult,
  FreeReport,
  SweepReport,
} from "../../store/maintenance.ts";
import { type Rejection, REJECTIONS } from "../rejections.ts";
import type { RequestRecord } from "../request_record.ts";
import { Metrics, type Read } from "./registry.ts";

/** Seconds: from a small object in memory to a large one on a slow line. */
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
const CALL_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 4];
const BODY_BYTES = [0, 1024, 16_384, 262_144, 1_048_576, 8_388_608, 67_108_864, 1_073_741_824];

/** What a request is called that is no operation of S3. */
const NO_OPERATION = "none";

/** Kinds of failures of calls of JetStream. */
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

/** What is read when metrics are rendered. */
export type Figures = {
  readonly version: string;
  readonly inFlight: { readonly count: number; readonly limit: number };
  /** Whether requests could be served when somebody looked last. */
  readonly isReady: () => boolean;
  readonly stalled: { readonly sources: number; readonly readers: number };
  readonly store: () => {
    readonly index: {
      readonly buckets: number;
      readonly keys: number;
      readonly bytes: number;
      readonly pending: number;
    };
    readonly buffered: { readonly read: number; readonly ahead: number; readonly write: number };
    readonly trashedBuckets: number;
    readonly waitingTrash: number;
    readonly waitingForLayout: number;
    readonly layoutBytes: number;
  };
  readonly nats: () => {
    readonly isConnected: boolean;
    readonly reconnects: number;
    /** Seconds; undefined where it is not known. */
    readonly roundTrip: number | undefined;
    readonly inBytes: number;
    readonly outBytes: number;
  };
  /** Lines of the log that nobody took. */
  readonly droppedLines: () => number;
};

/** What a gateway counts, until it is disposed. */
export type GatewayMetrics = Disposable & {
  readonly render: () => string;
  readonly described: Metrics["described"];
  /** The registry, for metrics of other parts. */
  readonly metrics: Metrics;
  readonly request: (record: RequestRecord) => void;
  readonly rejected: (reason: Rejection) => void;
  /** @param seconds That the call took. */
  readonly call: (method: string, seconds: number, failure: CallFailure | undefined) => void;
  readonly indexed: (milliseconds: number) => void;
  readonly emptiedTrash: (report: FreeReport | undefined) => void;
  readonly swept: (report: SweepReport | undefined) => void;
  readonly rewritten: (object: Pick<FlattenResult, "outcome"> | undefined) => void;
};

/** Makes the metrics of a gateway. */
export function createGatewayMetrics(figures: Figures): GatewayMetrics {
  const metrics = new Metrics();
  const gauge = (name: string, help: string, read: Read, labels: readonly string[] = []): void =>
    metrics.gauge(name, help, labels, read);

  gauge("nats_s3_build_info", "Always 1; the label is the gateway's version.", () => {
    return [[[figures.version], 1]];
  }, ["version"]);

  const requests = metrics.counter(
    "nats_s3_requests_total",
    "Requests that were answered, by operation, status and S3 error code.",
    ["operation", "status", "code"],
  );
  const durations = metrics.histogram(
    "nats_s3_request_duration_seconds",
    "Time from a request's headers to the end of its answer.",
    ["operation"],
    REQUEST_SECONDS,
  );
  const firstBytes = metrics.histogram(
    "nats_s3_request_first_byte_seconds",
    "Time from a request's headers to those of its answer.",
    ["operation"],
    REQUEST_SECONDS,
  );
  const received = metrics.histogram(
    "nats_s3_request_body_bytes",
    "Bytes of payload of requests that had one.",
    ["operation"],
    BODY_BYTES,
  );
  const sent = metrics.histogram(
    "nats_s3_response_body_bytes",
    "Bytes of answers that had a body.",
    ["operation"],
    BODY_BYTES,
  );
  const broken = metrics.counter(
    "nats_s3_responses_broken_total",
    "Answers that did not reach their end: the client went, took nothing, or the bytes could not be read.",
    ["operation"],
  );
  gauge("nats_s3_requests_in_flight", "Requests that have not ended.", () => {
    return figures.inFlight.count;
  });
  gauge("nats_s3_requests_in_flight_limit", "Requests that may be in flight.", () => {
    return figures.inFlight.limit;
  });
  const rejected = metrics.counter(
    "nats_s3_requests_rejected_total",
    "Requests that were not let in: too many in flight (requests), too many of one user (rate), or the gateway stops (stopping).",
    ["reason"],
  );
  for (const reason of REJECTIONS) rejected.add([reason], 0);
  metrics.readCounter(
    "nats_s3_stalled_total",
    "Bodies that were ended because the client sent nothing, or took nothing, for too long.",
    ["direction"],
    () => [[["request"], figures.stalled.sources], [["response"], figures.stalled.readers]],
  );
  gauge(
    "nats_s3_buffered_bytes",
    "Bytes asked of JetStream that have not arrived (read), that readers have not taken yet (ahead), and that it has not acknowledged (write).",
    () => Object.entries(figures.store().buffered).map(([direction, n]) => [[direction], n]),
    ["direction"],
  );

  gauge("nats_s3_ready", "1 while there is a connection to NATS and JetStream answers.", () => {
    return figures.isReady() ? 1 : 0;
  });
  gauge("nats_s3_nats_connected", "1 while there is a connection to NATS.", () => {
    return figures.nats().isConnected ? 1 : 0;
  });
  metrics.readCounter(
    "nats_s3_nats_reconnects_total",
    "How often the connection to NATS was lost and came back.",
    [],
    () => figures.nats().reconnects,
  );
  gauge(
    "nats_s3_nats_round_trip_seconds",
    "Time of the last ping to the NATS server and back.",
    () => figures.nats().roundTrip ?? NaN,
  );
  metrics.readCounter(
    "nats_s3_nats_received_bytes_total",
    "Bytes of messages from NATS.",
    [],
    () => {
      return figures.nats().inBytes;
    },
  );
  metrics.readCounter("nats_s3_nats_sent_bytes_total", "Bytes of messages to NATS.", [], () => {
    return figures.nats().outBytes;
  });

  const calls = metrics.histogram(
    "nats_s3_jetstream_call_duration_seconds",
    "Time of calls of JetStream, by method.",
    ["method"],
    CALL_SECONDS,
  );
  const seen = new Set<string>();
  const failures = metrics.counter(
    "nats_s3_jetstream_call_failures_total",
    "Calls of JetStream that failed, by method and kind of failure; a conflict is how a compare-and-set loses.",
    ["method", "failure"],
  );

  gauge("nats_s3_index_buckets", "Buckets whose keys are held for listings.", () => {
    return figures.store().index.buckets;
  });
  gauge("nats_s3_index_keys", "Keys that are held for listings.", () => {
    return figures.store().index.keys;
  });
  gauge("nats_s3_index_memory_bytes", "Memory that is held for listings, about.", () => {
    return figures.store().index.bytes;
  });
  gauge(
    "nats_s3_index_lag_messages",
    "Changes that JetStream has for the keys that are held, and that have not come.",
    () => figures.store().index.pending,
  );
  const waits = metrics.histogram(
    "nats_s3_index_wait_seconds",
    "How far the keys lag behind: time that a listing waited, also in vain, for all that was acknowledged before.",
    [],
    CALL_SECONDS,
  );

  const emptyings = metrics.counter(
    "nats_s3_trash_runs_total",
    "How often a bucket's trash was looked through, by result.",
    ["result"],
  );
  for (const result of ["done", "failed"]) emptyings.add([result], 0);
  const purged = metrics.counter(
    "nats_s3_trash_purged_groups_total",
    "Chunk groups of replaced and deleted objects that were purged.",
  );
  gauge("nats_s3_trash_buckets", "Buckets in which trash of this gateway waits.", () => {
    return figures.store().trashedBuckets;
  });
  gauge(
    "nats_s3_trash_waiting_groups",
    "Chunk groups that had to wait when trash was looked through last: for the grace, or for a reader.",
    () => figures.store().waitingTrash,
  );
  const sweeps = metrics.counter(
    "nats_s3_sweeps_total",
    "Sweeps of buckets: done, stopped at a record of a newer version, or failed.",
    ["result"],
  );
  for (const result of ["done", "stopped", "failed"]) sweeps.add([result], 0);
  const swept = metrics.counter(
    "nats_s3_swept_total",
    "What sweeps found that nothing names: chunk groups, records, and multipart uploads that were abandoned.",
    ["kind"],
  );
  const messages = metrics.counter(
    "nats_s3_swept_messages_total",
    "Messages of what sweeps found, and purged.",
  );
  const rewritten = metrics.counter(
    "nats_s3_native_layout_objects_total",
    "Objects in parts that were looked at to be rewritten for native clients, by outcome.",
    ["outcome"],
  );
  for (const outcome of OUTCOMES) rewritten.add([outcome], 0);
  gauge(
    "nats_s3_native_layout_waiting_objects",
    "Objects in parts that wait to be rewritten.",
    () => figures.store().waitingForLayout,
  );
  metrics.readCounter(
    "nats_s3_native_layout_read_bytes_total",
    "Bytes of objects in parts that were read to be rewritten.",
    [],
    () => figures.store().layoutBytes,
  );
  metrics.readCounter(
    "nats_s3_log_dropped_lines_total",
    "Lines of the log that were dropped, because nobody took those before them.",
    [],
    figures.droppedLines,
  );
  addProcess(metrics);
  const loop = watchEventLoop(metrics);

  return {
    metrics,
    render: () => metrics.render(),
    get described() {
      return metrics.described;
    },
    request(record) {
      const { operation = NO_OPERATION, status, code = "" } = record;
      requests.add([operation, String(status), code]);
      durations.observe([operation], record.ended / 1000);
      firstBytes.observe([operation], record.answered / 1000);
      if (record.received > 0) received.observe([operation], record.received);
      if (record.sent > 0) sent.observe([operation], record.sent);
      if (record.broken) broken.add([operation]);
    },
    call(method, seconds, failure) {
      calls.observe([method], seconds);
      if (!seen.has(method)) {
        // A rate sees nothing of a series that begins with its first failure.
        seen.add(method);
        for (const kind of CALL_FAILURES) failures.add([method, kind], 0);
      }
      if (failure !== undefined) failures.add([method, failure]);
    },
    rejected: (reason) => rejected.add([reason]),
    indexed: (milliseconds) => waits.observe([], milliseconds / 1000),
    emptiedTrash(report) {
      emptyings.add([report === undefined ? "failed" : "done"]);
      if (report !== undefined) purged.add([], report.freed);
    },
    swept(report) {
      if (report === undefined) return sweeps.add(["failed"]);
      sweeps.add([report.stopped === undefined ? "done" : "stopped"]);
      swept.add(["groups"], report.orphans);
      swept.add(["records"], report.records);
      swept.add(["uploads"], report.uploads);
      messages.add([], report.entries);
      purged.add([], report.replaced);
    },
    rewritten: (object) => rewritten.add([object?.outcome ?? "failed"]),
    [Symbol.dispose]: () => loop[Symbol.dispose](),
  };
}

const OUTCOMES: readonly (FlattenOutcome | "failed")[] = [
  "rewritten",
  "needless",
  "taken",
  "too-large",
  "failed",
];

/** The process figures that Prometheus' clients agree on, as far as the permissions let us see them. */
function addProcess(metrics: Metrics): void {
  metrics.readCounter(
    "process_cpu_seconds_total",
    "Time of processors that the process has used.",
    [],
    () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  );
  metrics.gauge("process_resident_memory_bytes", "Memory that the process has.", [], () => {
    return Deno.memoryUsage().rss;
  });
  metrics.gauge("process_heap_bytes", "Memory of the JavaScript heap that is used.", [], () => {
    return Deno.memoryUsage().heapUsed;
  });
  metrics.gauge(
    "nats_s3_heap_limit_bytes",
    "Memory of the JavaScript heap at which the process ends.",
    [],
    () => getHeapStatistics().heap_size_limit,
  );
  metrics.gauge("nats_s3_external_memory_bytes", "Memory of buffers beside the heap.", [], () => {
    return Deno.memoryUsage().external;
  });
  metrics.gauge("process_start_time_seconds", "When the process started, since 1970.", [], () => {
    return performance.timeOrigin / 1000;
  });
}

/** Milliseconds between two looks at how late the event loop is. */
const LOOP_INTERVAL = 500;
const LOOP_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** How late timers fire: Deno 2.9.6 has `monitorEventLoopDelay()`, which sees nothing. */
function watchEventLoop(metrics: Metrics): Disposable {
  const delays = metrics.histogram(
    "nats_s3_event_loop_delay_seconds",
    "How late timers fire, looked at twice a second: time in which nothing else could be done.",
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
