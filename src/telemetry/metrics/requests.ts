/**
 * Metrics of requests to the gateway.
 *
 * No label holds a bucket, a key or other text that a client chooses.
 * @module
 */

import { type Rejection, REJECTIONS } from "../rejections.ts";
import type { RequestObserver } from "../request_record.ts";
import type { Metrics } from "./registry.ts";

/** Seconds: from a small object in memory to a large one on a slow line. */
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
const BODY_BYTES = [0, 1024, 16_384, 262_144, 1_048_576, 8_388_608, 67_108_864, 1_073_741_824];

/** The label of a request that is not an S3 operation. */
const NO_OPERATION = "none";

/** Statistics that are read when metrics are rendered. */
export type RequestStats = {
  readonly inFlight: { readonly count: number; readonly limit: number };
  /** Request bodies and responses that were ended because the client stalled. */
  readonly stalled: { readonly sources: number; readonly readers: number };
};

/** Counters of requests. */
export type RequestMetrics = {
  /** Counts a request that has ended. */
  readonly request: RequestObserver;
  /** Counts a request that was turned away. */
  readonly rejected: (reason: Rejection) => void;
  /** Counts a write whose ACL was dropped. */
  readonly droppedAcl: (acl: string) => void;
};

/** Adds the metrics of requests. */
export function addRequestMetrics(registry: Metrics, read: () => RequestStats): RequestMetrics {
  const request = addOutcomes(registry);
  registry.gauge("nats_s3_requests_in_flight", "Requests that have not ended yet.", [], () => {
    return read().inFlight.count;
  });
  registry.gauge(
    "nats_s3_requests_in_flight_limit",
    "Maximum number of requests in flight.",
    [],
    () => read().inFlight.limit,
  );
  const rejected = registry.counter(
    "nats_s3_requests_rejected_total",
    "Requests turned away: too many in flight (requests), too many from one user (rate), or the gateway is stopping (stopping).",
    ["reason"],
  );
  for (const reason of REJECTIONS) rejected.add([reason], 0);
  registry.readCounter(
    "nats_s3_stalled_total",
    "Bodies ended because the client neither sent nor accepted any bytes for too long.",
    ["direction"],
    () => {
      const { sources, readers } = read().stalled;
      return [[["request"], sources], [["response"], readers]];
    },
  );
  const dropped = registry.counter(
    "nats_s3_acls_ignored_total",
    "Writes whose ACL was ignored (--bucket.acl-headers): a canned ACL that grants access to others, or headers that do (grants).",
    ["acl"],
  );
  return {
    request,
    rejected: (reason) => rejected.add([reason]),
    droppedAcl: (acl) => dropped.add([acl]),
  };
}

function addOutcomes(registry: Metrics): RequestObserver {
  const requests = registry.counter(
    "nats_s3_requests_total",
    "Requests that ended, by operation, status and S3 error code.",
    ["operation", "status", "code"],
  );
  const durations = registry.histogram(
    "nats_s3_request_duration_seconds",
    "Time from the arrival of a request's headers to the end of its response.",
    ["operation"],
    REQUEST_SECONDS,
  );
  const firstBytes = registry.histogram(
    "nats_s3_request_first_byte_seconds",
    "Time from the arrival of a request's headers to the headers of its response.",
    ["operation"],
    REQUEST_SECONDS,
  );
  const received = registry.histogram(
    "nats_s3_request_body_bytes",
    "Payload size of requests that carried a body.",
    ["operation"],
    BODY_BYTES,
  );
  const sent = registry.histogram(
    "nats_s3_response_body_bytes",
    "Size of responses that carried a body.",
    ["operation"],
    BODY_BYTES,
  );
  const broken = registry.counter(
    "nats_s3_responses_broken_total",
    "Responses cut short: the client disconnected or stalled, or the bytes could not be read.",
    ["operation"],
  );
  return (record) => {
    const { operation = NO_OPERATION, status, code = "" } = record;
    requests.add([operation, String(status), code]);
    durations.observe([operation], record.ended / 1000);
    firstBytes.observe([operation], record.answered / 1000);
    if (record.received > 0) received.observe([operation], record.received);
    if (record.sent > 0) sent.observe([operation], record.sent);
    if (record.broken) broken.add([operation]);
  };
}
