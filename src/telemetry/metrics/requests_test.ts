import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { parseExposition, problemsOf, valueOf } from "../../../tests/process/exposition.ts";
import { newRecord, type RequestRecord } from "../request_record.ts";
import { Metrics } from "./registry.ts";
import { addRequestMetrics, type RequestMetrics } from "./requests.ts";

function createMetrics(): RequestMetrics & { readonly render: () => string } {
  const registry = new Metrics();
  const metrics = addRequestMetrics(registry, () => ({
    inFlight: { count: 3, limit: 1000 },
    stalled: { sources: 1, readers: 2 },
  }));
  return { ...metrics, render: () => registry.render() };
}

function ended(facts: Partial<RequestRecord>): RequestRecord {
  const record = newRecord({ id: "r1", method: "GET", path: "/photos", client: undefined });
  return { ...record, status: 200, answered: 1, ended: 2, ...facts };
}

Deno.test("request() counts a request without naming its bucket or key", () => {
  const metrics = createMetrics();
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

Deno.test("addRequestMetrics() shows every reason of rejection from the start", () => {
  const metrics = createMetrics();
  metrics.rejected("rate");
  const text = metrics.render();
  const rejected = (reason: string): number | undefined =>
    valueOf(text, "nats_s3_requests_rejected_total", { reason });
  deepStrictEqual(["requests", "rate", "stopping"].map(rejected), [0, 1, 0]);
});
