import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { parseExposition, problemsOf, valueOf } from "../../../tests/process/exposition.ts";
import { createGatewayMetrics, type Figures } from "./gateway_metrics.ts";
import type { BucketName } from "../../s3/names.ts";
import { newRecord, type RequestRecord } from "../request_record.ts";

const FIGURES: Figures = {
  version: "1.2.3",
  inFlight: { count: 3, limit: 1000 },
  isReady: () => false,
  stalled: { sources: 1, readers: 2 },
  store: () => ({
    index: { buckets: 1, keys: 2, bytes: 3, pending: 4 },
    buffered: { read: 5, ahead: 6, write: 7 },
    trashedBuckets: 8,
    waitingTrash: 9,
    waitingForLayout: 10,
    layoutBytes: 11,
  }),
  nats: () => ({
    isConnected: false,
    reconnects: 12,
    roundTrip: undefined,
    inBytes: 13,
    outBytes: 14,
  }),
  droppedLines: () => 15,
};

function ended(facts: Partial<RequestRecord>): RequestRecord {
  const record = newRecord({ id: "r1", method: "GET", path: "/photos", client: undefined });
  return { ...record, status: 200, answered: 1, ended: 2, ...facts };
}

Deno.test("A request's record becomes series that name neither bucket nor key", () => {
  using metrics = createGatewayMetrics(FIGURES);
  const facts = { bucket: "photos", key: "a.txt", user: "ann", method: "PROPFIND" };
  metrics.request(ended({ ...facts, operation: "GetObject", sent: 2000, broken: true }));
  metrics.request(ended({ ...facts, status: 404, code: "NoSuchKey" }));
  const text = metrics.render();
  deepStrictEqual(problemsOf(text), []);
  for (const secret of ["photos", "a.txt", "ann", "PROPFIND", "r1"]) {
    ok(!text.includes(`"${secret}`));
  }
  deepStrictEqual(
    parseExposition(text).filter(({ name }) => name === "nats_s3_requests_total"),
    [
      {
        name: "nats_s3_requests_total",
        labels: { operation: "GetObject", status: "200", code: "" },
        value: 1,
      },
      {
        name: "nats_s3_requests_total",
        labels: { operation: "none", status: "404", code: "NoSuchKey" },
        value: 1,
      },
    ],
  );
  const operation = { operation: "GetObject" };
  strictEqual(valueOf(text, "nats_s3_responses_broken_total", operation), 1);
  strictEqual(valueOf(text, "nats_s3_response_body_bytes_sum", operation), 2000);
  strictEqual(valueOf(text, "nats_s3_request_body_bytes_sum", operation), undefined);
});

Deno.test("Reasons of rejection are there before anybody was rejected", () => {
  using metrics = createGatewayMetrics(FIGURES);
  metrics.rejected("rate");
  const text = metrics.render();
  const rejected = (reason: string): number | undefined =>
    valueOf(text, "nats_s3_requests_rejected_total", { reason });
  deepStrictEqual(["requests", "rate", "stopping"].map(rejected), [0, 1, 0]);
});

Deno.test("What trash and sweeps did is counted, and failures apart", () => {
  using metrics = createGatewayMetrics(FIGURES);
  metrics.emptiedTrash({ purged: 3, waiting: 1 });
  metrics.emptiedTrash(undefined);
  metrics.swept({
    bucket: "photos" as BucketName,
    dryRun: false,
    trash: 1,
    uploads: 2,
    groups: 3,
    records: 4,
    messages: 50,
  });
  metrics.swept(undefined);
  const text = metrics.render();
  strictEqual(valueOf(text, "nats_s3_trash_purged_groups_total"), 4);
  strictEqual(valueOf(text, "nats_s3_trash_runs_total", { result: "failed" }), 1);
  strictEqual(valueOf(text, "nats_s3_swept_total", { kind: "groups" }), 3);
  strictEqual(valueOf(text, "nats_s3_swept_messages_total"), 50);
  strictEqual(valueOf(text, "nats_s3_sweeps_total", { result: "done" }), 1);
  strictEqual(valueOf(text, "nats_s3_sweeps_total", { result: "failed" }), 1);
});

Deno.test("A blocked event loop shows", async () => {
  using metrics = createGatewayMetrics(FIGURES);
  await new Promise((resolve) => setTimeout(resolve, 400));
  const until = performance.now() + 300;
  while (performance.now() < until); // nothing else runs
  await new Promise((resolve) => setTimeout(resolve, 50));
  ok((valueOf(metrics.render(), "nats_s3_event_loop_delay_seconds_sum") ?? 0) > 0.1);
});
