/**
 * The audit log against a real nats-server: what arrives, and what becomes of what JetStream does not take.
 * @module
 */

import { createHash } from "node:crypto";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { jetstreamManager, type StreamConfig } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { addAuditMetrics, AuditLog, type AuditOptions } from "../../src/nats/monitoring/audit.ts";
import type { LogFields } from "../../src/telemetry/log.ts";
import { Metrics } from "../../src/telemetry/metrics/registry.ts";
import { pagesOf } from "../../src/nats/monitoring/audit_keys.ts";
import { newRecord, type RequestRecord } from "../../src/telemetry/request_record.ts";
import { signedFetch, startGateway } from "../process/running_command.ts";

const SUBJECT = "audit.s3";
const STREAM: Partial<StreamConfig> & { readonly name: string } = {
  name: "AUDIT",
  subjects: ["audit.>"],
};

let count = 0;

function ended(facts: Partial<RequestRecord> = {}): RequestRecord {
  const record = newRecord({
    id: `r${++count}`,
    method: "GET",
    path: "/photos/a.txt",
    client: "192.0.2.1",
  });
  return { ...record, operation: "GetObject", bucket: "photos", status: 200, ended: 2, ...facts };
}

/** Deletes a key, and one that does not have the object which it demands. */
const DELETION = "<Delete><Object><Key>a\nb</Key></Object>" +
  "<Object><Key>b</Key><ETag>*</ETag></Object></Delete>";

type Warning = { readonly message: string; readonly fields: LogFields };
/** An audit log and what it warned of. */
type Audited = AsyncDisposable & {
  readonly audit: AuditLog;
  readonly warnings: readonly Warning[];
  readonly dropped: () => Readonly<Record<string, number>>;
};

function auditOn(connection: NatsConnection, options: Partial<AuditOptions> = {}): Audited {
  const warnings: Warning[] = [];
  const audit = new AuditLog(connection, {
    subject: SUBJECT,
    apiPrefix: "$JS.API",
    inboxPrefix: "_INBOX",
    log: { warn: (message, fields = {}) => void warnings.push({ message, fields }) },
    ...options,
  });
  return {
    audit,
    warnings,
    dropped: () => Object.fromEntries(audit.stats.dropped),
    [Symbol.asyncDispose]: () => audit[Symbol.asyncDispose](),
  };
}

async function connectTo(server: NatsServer): Promise<NatsConnection & AsyncDisposable> {
  const connection = await connect({
    servers: server.url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  return Object.assign(connection, { [Symbol.asyncDispose]: () => connection.close() });
}

async function addStream(
  connection: NatsConnection,
  more: Partial<StreamConfig> = {},
): Promise<void> {
  await (await jetstreamManager(connection)).streams.add({ ...STREAM, ...more });
}

/** The messages that the stream holds. */
async function readMessages(connection: NatsConnection): Promise<Record<string, unknown>[]> {
  const { streams } = await jetstreamManager(connection);
  const { state } = await streams.info(STREAM.name);
  const messages: Record<string, unknown>[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await streams.getMessage(STREAM.name, { seq });
    if (message !== null) messages.push(message.json());
  }
  return messages;
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!isSo()) {
    ok(Date.now() < deadline, what);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("a gateway publishes each request, and what waits when it stops", async () => {
  await using server = await startNatsServer();
  await using connection = await connectTo(server);
  await addStream(connection);
  const pair = { accessKeyId: "ann", secretAccessKey: "a-secret-of-ann" };
  await using gateway = await startGateway(
    ["--natsServers", server.url, "--audit.subject", SUBJECT],
    {
      env: {
        NATS_S3_CREDENTIALS: '{"credentials":[{"accessKey":"ann","secretKey":"a-secret-of-ann"}]}',
      },
    },
  );
  const ids: (string | null)[] = [];
  for (
    const [method, path, body] of [
      ["PUT", "/photos"],
      ["PUT", "/photos/a%0Ab", "hello"],
      ["GET", "/photos/a%0Ab?X-Amz-Signature=0123456789abcdef"],
      ["HEAD", "/photos/missing"],
      ["POST", "/photos?delete=", DELETION],
    ] as const
  ) {
    const md5 = createHash("md5").update(body ?? "").digest("base64");
    const response = await signedFetch(gateway.url + path, pair, {
      method,
      ...(body && { body, headers: { "content-md5": md5 } }),
    });
    await response.body?.cancel();
    ids.push(response.headers.get("x-amz-request-id"));
  }
  strictEqual((await gateway.stop()).code, 0, gateway.output);

  const messages = await readMessages(connection);
  deepStrictEqual(messages.map(({ id }) => id), ids);
  const [, put, get, head, deletion] = messages;
  strictEqual(deletion?.["code"], undefined);
  deepStrictEqual(deletion?.["keys"], [{ key: "a\nb" }, { key: "b", code: "NoSuchKey" }]);
  const { id: _, time, milliseconds, ...rest } = put ?? {};
  match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000);
  strictEqual(typeof milliseconds, "number");
  deepStrictEqual(rest, {
    version: 1,
    method: "PUT",
    operation: "PutObject",
    bucket: "photos",
    key: "a\nb",
    user: "ann",
    account: "000000000000",
    client: "127.0.0.1",
    status: 200,
    received: 5,
    sent: 0,
    size: 5,
    etag: "5d41402abc4b2a76b9719d911017c592",
  });
  deepStrictEqual([get?.["status"], head?.["status"], head?.["code"]], [400, 404, "NoSuchKey"]);
  ok(!JSON.stringify(messages).includes("0123456789abcdef"));
  ok(!JSON.stringify(messages).includes("a-secret-of-ann"));
});

Deno.test("keys that do not fit into one message are in several, each key once", () => {
  const keys = Array.from({ length: 1000 }, (_, i) => ({
    key: `${i} ${"\u0001".repeat(900)}`,
    code: i % 2 === 0 ? undefined : "AccessDenied",
  }));
  const pages = pagesOf(keys);
  ok(pages.length > 10);
  for (const page of pages) ok(JSON.stringify(page).length < 500_000);
  deepStrictEqual(pages.flat(), keys);
  deepStrictEqual(pagesOf(undefined), [undefined]);
  deepStrictEqual(pagesOf([]), [[]]);
});

Deno.test("messages wait for a stream that is made a moment later", async () => {
  await using server = await startNatsServer();
  await using connection = await connectTo(server);
  const { audit, warnings } = auditOn(connection);
  await using _ = audit;
  for (let i = 0; i < 500; i++) audit.add(ended());
  await new Promise((resolve) => setTimeout(resolve, 300));
  await addStream(connection);
  await until(() => audit.stats.published === 500, "they were not published");
  strictEqual((await readMessages(connection)).length, 500);
  deepStrictEqual(warnings, []);
});

Deno.test("without a stream messages are dropped after a while, with one warning", async () => {
  await using server = await startNatsServer();
  await using connection = await connectTo(server);
  await using audited = auditOn(connection, { timeout: 500 });
  const { audit, warnings, dropped } = audited;
  for (let i = 0; i < 200; i++) audit.add(ended());
  await until(() => audit.stats.waiting === 0, "they were not given up");
  deepStrictEqual(dropped(), { no_responders: 200 });
  strictEqual(warnings.length, 1);
  match(warnings[0]?.message ?? "", /is there a stream for the subject/);
  strictEqual(warnings[0]?.fields["subject"], SUBJECT);
});

Deno.test("a stream that is full costs its messages and nothing else", async () => {
  await using server = await startNatsServer();
  await using connection = await connectTo(server);
  await addStream(connection, { max_msgs: 10, discard: "new" as StreamConfig["discard"] });
  await using gateway = await startGateway(
    ["--natsServers", server.url, "--audit.subject", SUBJECT],
    { env: { NATS_S3_CREDENTIALS: '{"credentials":[{"accessKey":"ann","secretKey":"secret"}]}' } },
  );
  for (let i = 0; i < 30; i++) {
    const response = await fetch(gateway.url);
    await response.body?.cancel();
    strictEqual(response.status, 403);
  }
  await gateway.waitFor(/level=warn msg="Audit messages were dropped.*subject=audit\.s3/);
  const [, port] = await gateway.waitFor(/health and metrics.*port=(\d+)/);
  const metrics = async (): Promise<string> =>
    await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const deadline = Date.now() + 10_000;
  while (!/nats_s3_audit_dropped_total\{reason="full"\} 20\n/.test(await metrics())) {
    ok(Date.now() < deadline, await metrics());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  match(await metrics(), /nats_s3_audit_published_total 10\n/);
  strictEqual((await gateway.stop()).code, 0);
  strictEqual([...gateway.output.matchAll(/Audit messages were dropped/g)].length <= 2, true);
});

Deno.test("a server that stands still fills a bounded queue", async () => {
  await using server = await startNatsServer();
  await using connection = await connectTo(server);
  await addStream(connection);
  const { audit, dropped } = auditOn(connection);
  Deno.kill(server.pid, "SIGSTOP");
  try {
    for (let i = 0; i < 12_000; i++) audit.add(ended());
    strictEqual(audit.stats.waiting, 10_064); // in the queue and on their way
    deepStrictEqual(dropped(), { queue_full: 1936 });
  } finally {
    Deno.kill(server.pid, "SIGCONT");
  }
  await until(() => audit.stats.published === 10_064, "they were not published");
  await audit[Symbol.asyncDispose]();
  audit.add(ended());
  deepStrictEqual(dropped(), { queue_full: 1936, stopping: 1 });
});

Deno.test("a message that was sent twice, because no answer came, is kept once", async () => {
  await using server = await startNatsServer();
  await using connection = await connectTo(server);
  await addStream(connection);
  await using audited = auditOn(connection);
  const { audit, dropped } = audited;
  Deno.kill(server.pid, "SIGSTOP");
  try {
    for (let i = 0; i < 50; i++) audit.add(ended());
    // Longer than an answer may take: they are on their way a second time when the server wakes up.
    await new Promise((resolve) => setTimeout(resolve, 5500));
  } finally {
    Deno.kill(server.pid, "SIGCONT");
  }
  await until(() => audit.stats.waiting === 0, "they were not published");
  deepStrictEqual([audit.stats.published, dropped()], [50, {}]);
  strictEqual((await readMessages(connection)).length, 50);
});

Deno.test("a restart of the server loses no message and keeps none twice", async () => {
  await using server = await startNatsServer();
  await using connection = await connectTo(server);
  await addStream(connection);
  await using audited = auditOn(connection);
  const { audit, dropped } = audited;
  const ids: string[] = [];
  const add = async (): Promise<void> => {
    for (let i = 0; i < 200; i++) {
      const record = ended();
      ids.push(record.id);
      audit.add(record);
      if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await Promise.all([add(), server.restart("SIGKILL")]);
  await add();
  await until(() => audit.stats.waiting === 0, "they were not published");
  deepStrictEqual(dropped(), {});
  const kept = (await readMessages(connection)).map(({ id }) => String(id));
  deepStrictEqual(kept.toSorted(), ids.toSorted());
});

Deno.test("what cannot be sent in the end is dropped, and does not hold the end up for long", async () => {
  await using server = await startNatsServer();
  await using connection = await connectTo(server);
  const { audit, warnings, dropped } = auditOn(connection);
  for (let i = 0; i < 100; i++) audit.add(ended());
  await audit[Symbol.asyncDispose]();
  deepStrictEqual(dropped(), { stopping: 100 });
  deepStrictEqual(warnings.map(({ fields }) => fields["messages"]), [100]);
});

Deno.test("an audit log's metrics are there before anything was dropped", () => {
  const metrics = new Metrics();
  addAuditMetrics(metrics, undefined);
  match(metrics.render(), /nats_s3_audit_dropped_total\{reason="queue_full"\} 0\n/);
});
