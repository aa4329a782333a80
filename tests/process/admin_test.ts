/**
 * The admin listener of a real gateway: health, readiness and metrics.
 * @module
 */

import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { describeMetrics } from "../../scripts/metrics_table.ts";
import { freePort, startNatsServer } from "../../scripts/nats_server.ts";
import { findPromtool } from "../../scripts/promtool.ts";
import { parseExposition, problemsOf, valueOf } from "./exposition.ts";
import {
  type CommandOptions,
  type RunningCommand,
  signedFetch,
  startGateway,
} from "./running_command.ts";

const PAIR = { accessKeyId: "ann", secretAccessKey: "secret" };
const OPTIONS: CommandOptions = {
  env: { NATS_S3_CREDENTIALS: '{"credentials":[{"accessKey":"ann","secretKey":"secret"}]}' },
};
const PART = 5 * 1024 * 1024;

const notes: string[] = [];
const promtool = await findPromtool((text) => notes.push(text));

/** A gateway with the URLs of S3 and of its admin pages. */
type Observed = RunningCommand & { readonly url: string; readonly admin: string };

async function startObserved(args: readonly string[]): Promise<Observed> {
  const gateway = await startGateway(args, OPTIONS);
  const [, port] = await gateway.waitFor(/Serving health and metrics.*port=(\d+)/);
  return Object.assign(gateway, { admin: `http://127.0.0.1:${port}` });
}

async function page(
  { admin }: Observed,
  path: string,
  init?: RequestInit,
): Promise<{ readonly status: number; readonly body: string; readonly headers: Headers }> {
  const { status, headers, body } = await fetch(admin + path, init).then(async (response) => ({
    status: response.status,
    headers: response.headers,
    body: await response.text(),
  }));
  return { status, headers, body };
}

/** Sends a request that must get this status; returns the body. */
async function send(
  { url }: { readonly url: string },
  status: number,
  method: string,
  path: string,
  body?: BodyInit,
): Promise<string> {
  const response = await signedFetch(url + path, PAIR, { method, ...(body && { body }) });
  const text = await response.text();
  strictEqual(response.status, status, `${method} ${path}: ${text}`);
  return text;
}

async function uploadInParts(gateway: Observed, path: string): Promise<void> {
  const begun = await send(gateway, 200, "POST", `${path}?uploads=`);
  const id = /<UploadId>(.+)<\/UploadId>/.exec(begun)?.[1] ?? "";
  const numbers = [1, 2];
  const etags: string[] = [];
  for (const number of numbers) {
    const response = await signedFetch(
      `${gateway.url}${path}?partNumber=${number}&uploadId=${id}`,
      PAIR,
      { method: "PUT", body: new Uint8Array(PART) },
    );
    strictEqual(response.status, 200, await response.text());
    etags.push(response.headers.get("etag") ?? "");
  }
  const parts = numbers.map((number, i) =>
    `<Part><PartNumber>${number}</PartNumber><ETag>${etags[i]}</ETag></Part>`
  );
  await send(
    gateway,
    200,
    "POST",
    `${path}?uploadId=${id}`,
    `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`,
  );
}

/** Waits until /metrics has a value, because a request is counted after its response was sent; returns the page. */
async function metricsWith(
  gateway: Observed,
  name: string,
  labels: Readonly<Record<string, string>>,
  value: number,
): Promise<string> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const { body } = await page(gateway, "/metrics");
    const found = valueOf(body, name, labels);
    if (found === value) return body;
    if (Date.now() > deadline) strictEqual(found, value, `${name} ${JSON.stringify(labels)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function statusBecomes(gateway: Observed, path: string, wanted: number): Promise<string> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const { status, body } = await page(gateway, path);
    if (status === wanted) return body;
    if (Date.now() > deadline) strictEqual(status, wanted, body);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test("/metrics tells what was asked, and names no bucket, key or user", async () => {
  await using server = await startNatsServer();
  await using gateway = await startObserved(["--natsServers", server.url]);
  await send(gateway, 200, "PUT", "/secret-bucket");
  await send(gateway, 200, "PUT", "/secret-bucket/secret-key", "hello");
  strictEqual(await send(gateway, 200, "GET", "/secret-bucket/secret-key"), "hello");
  await send(gateway, 200, "GET", "/secret-bucket?list-type=2");
  await send(gateway, 404, "GET", "/secret-bucket/secret-missing");
  await send(gateway, 404, "GET", "/secret-absent-bucket/secret-key");
  await send(gateway, 405, "PATCH", "/secret-bucket/secret-key");
  await uploadInParts(gateway, "/secret-bucket/secret-parts");
  await send(gateway, 204, "DELETE", "/secret-bucket/secret-key");
  const [unsigned, forged] = await Promise.all([
    fetch(`${gateway.url}/secret-bucket`, { method: "SECRET" }),
    signedFetch(`${gateway.url}/secret-bucket`, { ...PAIR, secretAccessKey: "wrong" }),
  ]);
  await Promise.all([unsigned.body?.cancel(), forged.body?.cancel()]);

  await metricsWith(gateway, "nats_s3_native_layout_objects_total", { outcome: "rewritten" }, 1);
  const requests = "nats_s3_requests_total";
  const text = await metricsWith(
    gateway,
    requests,
    { operation: "DeleteObject", status: "204" },
    1,
  );
  deepStrictEqual(problemsOf(text), []);
  for (
    const [operation, status, code, count] of [
      ["CreateBucket", "200", "", 1],
      ["PutObject", "200", "", 1],
      ["GetObject", "200", "", 1],
      ["GetObject", "404", "NoSuchKey", 1],
      ["GetObject", "404", "NoSuchBucket", 1],
      ["ListObjectsV2", "200", "", 1],
      ["CreateMultipartUpload", "200", "", 1],
      ["UploadPart", "200", "", 2],
      ["CompleteMultipartUpload", "200", "", 1],
      ["none", "405", "MethodNotAllowed", 1],
      ["none", "403", "SignatureDoesNotMatch", 1],
    ] as const
  ) {
    strictEqual(
      valueOf(text, requests, { operation, status, code }),
      count,
      `${operation} ${code}`,
    );
  }
  strictEqual(valueOf(text, "nats_s3_request_body_bytes_sum", { operation: "PutObject" }), 5);
  strictEqual(
    valueOf(text, "nats_s3_request_body_bytes_sum", { operation: "UploadPart" }),
    2 * PART,
  );
  strictEqual(
    valueOf(text, "nats_s3_request_duration_seconds_count", { operation: "GetObject" }),
    3,
  );
  strictEqual(valueOf(text, "nats_s3_requests_in_flight"), 0);
  strictEqual(valueOf(text, "nats_s3_nats_connected"), 1);
  strictEqual(valueOf(text, "nats_s3_nats_reconnects_total"), 0);
  strictEqual(valueOf(text, "nats_s3_index_buckets"), 1);
  strictEqual(valueOf(text, "nats_s3_index_lag_messages"), 0);
  strictEqual(valueOf(text, "nats_s3_native_layout_read_bytes_total"), 2 * PART);
  strictEqual(valueOf(text, "nats_s3_trash_buckets"), 1);
  strictEqual(valueOf(text, "nats_s3_requests_rejected_total", { reason: "requests" }), 0);
  ok((valueOf(text, "nats_s3_index_wait_seconds_count") ?? 0) >= 1);
  ok((valueOf(text, "process_resident_memory_bytes") ?? 0) > 1e6);
  ok(
    (valueOf(text, "nats_s3_jetstream_call_duration_seconds_count", { method: "publish" }) ?? 0) >
      1,
  );
  deepStrictEqual(
    [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name),
    describeMetrics().map(({ name }) => name),
  );
  doesNotMatch(text, /secret/i);
  doesNotMatch(text, /"ann"/);
  // Operations have the names that AWS documents, and JetStream calls those of the gateway: both sets are closed.
  const methods = parseExposition(text).map(({ labels }) => labels["method"] ?? "");
  for (const method of methods) match(method, /^([a-z_]*|[A-Z]+(\.[A-Z]+)*)$/);
});

Deno.test({
  name: "promtool finds nothing to complain of in /metrics",
  ignore: promtool === undefined,
  async fn() {
    await using server = await startNatsServer();
    await using gateway = await startObserved(["--natsServers", server.url]);
    await send(gateway, 200, "PUT", "/photos");
    await send(gateway, 200, "PUT", "/photos/a", "hello");
    await send(gateway, 200, "GET", "/photos?list-type=2");
    const { body, headers } = await page(gateway, "/metrics");
    strictEqual(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    const { code, output } = await promtool?.(["check", "metrics"], body) ?? {};
    deepStrictEqual([code, output], [0, ""]);
  },
});
if (promtool === undefined) {
  // deno-lint-ignore no-console
  console.log(`promtool is not available: ${notes.join("; ")}`);
}

Deno.test("the admin listener has its pages and nothing else", async () => {
  await using server = await startNatsServer();
  await using gateway = await startObserved(["--natsServers", server.url]);
  strictEqual((await page(gateway, "/livez")).body, "ok\n");
  strictEqual((await page(gateway, "/readyz?verbose")).body, "ok\n");
  const head = await page(gateway, "/metrics", { method: "HEAD" });
  deepStrictEqual([head.status, head.body], [200, ""]);
  for (const path of ["/", "/photos", "/metrics/", "/toString", "/livez/.."]) {
    const { status, body } = await page(gateway, path);
    strictEqual(status, 404, path);
    match(body, /\/livez, \/readyz, \/metrics/);
  }
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    const { status, headers } = await page(gateway, "/metrics", { method });
    deepStrictEqual([status, headers.get("allow")], [405, "GET, HEAD"], method);
  }
  // The S3 port has no admin pages: their names are buckets there.
  await send(gateway, 404, "GET", "/metrics");
});

Deno.test("/readyz says 503 while NATS is away, and /livez does not", async () => {
  await using server = await startNatsServer();
  await using gateway = await startObserved(["--natsServers", server.url]);
  strictEqual((await page(gateway, "/readyz")).status, 200);
  await server.kill();
  await metricsWith(gateway, "nats_s3_nats_connected", {}, 0);
  const { status, body } = await page(gateway, "/readyz");
  deepStrictEqual([status, body], [503, "There is no connection to NATS\n"]);
  strictEqual((await page(gateway, "/livez")).status, 200);
  await metricsWith(gateway, "nats_s3_ready", {}, 0);
  await server.start();
  await statusBecomes(gateway, "/readyz", 200);
  const back = await page(gateway, "/metrics");
  strictEqual(valueOf(back.body, "nats_s3_ready"), 1);
  strictEqual(valueOf(back.body, "nats_s3_nats_connected"), 1);
  strictEqual(valueOf(back.body, "nats_s3_nats_reconnects_total"), 1);
});

Deno.test("/readyz says 503 while the gateway stops", async () => {
  await using server = await startNatsServer();
  await using gateway = await startObserved(["--natsServers", server.url]);
  await send(gateway, 200, "PUT", "/photos");
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const put = signedFetch(`${gateway.url}/photos/slow`, PAIR, { method: "PUT", body: readable });
  await writer.write(new TextEncoder().encode("first, "));
  await metricsWith(gateway, "nats_s3_requests_in_flight", {}, 1);
  const stopping = gateway.stop();
  match(await statusBecomes(gateway, "/readyz", 503), /stopping/);
  strictEqual((await page(gateway, "/livez")).status, 200);
  await writer.close();
  const response = await put;
  strictEqual(response.status, 200, await response.text());
  strictEqual((await stopping).code, 0, gateway.output);
});

Deno.test("S3 is served where the admin port is in use, and the log says what to do", async () => {
  await using server = await startNatsServer();
  const address = `127.0.0.1:${server.port}`;
  await using gateway = await startGateway(
    ["--natsServers", server.url, "--admin.listen", address],
    OPTIONS,
  );
  await gateway.waitFor(
    /level=warn .*Port \d+ of 127\.0\.0\.1 is in use: stop the program that listens there, or choose another port with --admin\.listen/,
  );
  await send(gateway, 200, "PUT", "/photos");
  strictEqual((await gateway.stop()).code, 0);
});

Deno.test("--admin.listen off serves no pages", async () => {
  await using server = await startNatsServer();
  const port = freePort();
  await using gateway = await startGateway(
    ["--natsServers", server.url, "--listen", `127.0.0.1:${port}`, "--admin.listen", "off"],
    OPTIONS,
  );
  await send(gateway, 200, "PUT", "/photos");
  doesNotMatch(gateway.output, /health and metrics/);
  strictEqual((await gateway.stop()).code, 0);
});
