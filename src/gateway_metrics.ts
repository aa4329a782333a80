/**
 * The metrics of a gateway: the one place that names them. Dashboard, alerts and documents are held against it.
 *
 * No label holds a bucket, a key or anything else that a client chooses.
 * @module
 */

import process from "node:process";
import type { LayoutOutcome, RewrittenObject, SweepReport, TrashReport } from "./store/store.ts";
import { Metrics, type Read } from "./telemetry/metrics.ts";
import type { RequestRecord } from "./telemetry/request_record.ts";

/** Seconds: from a small object in memory to a large one on a slow line. */
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
const CALL_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 4];
const BODY_BYTES = [0, 1024, 16_384, 262_144, 1_048_576, 8_388_608, 67_108_864, 1_073_741_824];

/** What a request is called that is no operation of S3. */
const NO_OPERATION = "none";

/** What is read when metrics are rendered. */
export type Figures = {
  readonly version: string;
  readonly inFlight: () => number;
  readonly stalled: { readonly sources: number; readonly readers: number };
  readonly store: () => {
    readonly index: { readonly buckets: number; readonly keys: number; readonly bytes: number };
    readonly buffered: { readonly read: number; readonly ahead: number; readonly write: number };
    readonly trashedBuckets: number;
    readonly waitingForLayout: number;
  };
  readonly nats: () => {
    readonly isConnected: boolean;
    readonly reconnects: number;
    /** Seconds; undefined where it is not known. */
    readonly roundTrip: number | undefined;
    readonly inBytes: number;
    readonly outBytes: number;
  };
};

/** What a gateway counts. */
export type GatewayMetrics = {
  readonly render: () => string;
  readonly described: Metrics["described"];
  /** The registry, for metrics of other parts. */
  readonly metrics: Metrics;
  readonly request: (record: RequestRecord) => void;
  /** @param seconds That the call took. */
  readonly call: (method: string, seconds: number, failure: string | undefined) => void;
  readonly indexed: (milliseconds: number) => void;
  readonly emptiedTrash: (report: TrashReport) => void;
  readonly swept: (report: SweepReport | undefined) => void;
  readonly rewritten: (object: Pick<RewrittenObject, "outcome"> | undefined) => void;
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
  gauge("nats_s3_requests_in_flight", "Requests that have not ended.", figures.inFlight);
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
  metrics.readCounter("nats_s3_nats_received_bytes_total", "Bytes of NATS messages.", [], () => {
    return figures.nats().inBytes;
  });
  metrics.readCounter("nats_s3_nats_sent_bytes_total", "Bytes of NATS messages.", [], () => {
    return figures.nats().outBytes;
  });

  const calls = metrics.histogram(
    "nats_s3_jetstream_call_duration_seconds",
    "Time of calls of JetStream, by method.",
    ["method"],
    CALL_SECONDS,
  );
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
  const waits = metrics.histogram(
    "nats_s3_index_wait_seconds",
    "How far the keys lag behind: time that a listing waited for all that was acknowledged before.",
    [],
    CALL_SECONDS,
  );

  const purged = metrics.counter(
    "nats_s3_trash_purged_groups_total",
    "Chunk groups of replaced and deleted objects that were purged.",
  );
  gauge("nats_s3_trash_buckets", "Buckets in which trash of this gateway waits.", () => {
    return figures.store().trashedBuckets;
  });
  const sweeps = metrics.counter(
    "nats_s3_sweeps_total",
    "Sweeps of buckets; stopped at a record of a newer version, or failed.",
    ["result"],
  );
  const swept = metrics.counter(
    "nats_s3_swept_total",
    "What sweeps found that nothing names: chunk groups, records, and multipart uploads that were abandoned.",
    ["kind"],
  );
  const rewritten = metrics.counter(
    "nats_s3_native_layout_objects_total",
    "Objects in parts that were looked at to be rewritten for native clients, by outcome.",
    ["outcome"],
  );
  gauge(
    "nats_s3_native_layout_waiting_objects",
    "Objects in parts that wait to be rewritten.",
    () => {
      return figures.store().waitingForLayout;
    },
  );
  addProcess(metrics);

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
      if (failure !== undefined) failures.add([method, failure]);
    },
    indexed: (milliseconds) => waits.observe([], milliseconds / 1000),
    emptiedTrash: (report) => purged.add([], report.purged),
    swept(report) {
      if (report === undefined) return sweeps.add(["failed"]);
      sweeps.add([report.stopped === undefined ? "done" : "stopped"]);
      swept.add(["groups"], report.groups);
      swept.add(["records"], report.records);
      swept.add(["uploads"], report.uploads);
      purged.add([], report.trash);
    },
    rewritten: (object) => rewritten.add([object?.outcome ?? "failed" satisfies Outcome]),
  };
}

type Outcome = LayoutOutcome | "failed";

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
  metrics.gauge("process_start_time_seconds", "When the process started, since 1970.", [], () => {
    return performance.timeOrigin / 1000;
  });
}
