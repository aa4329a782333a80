/** Server access logs over JetStream: a full target, and what buckets cost that are not logged. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import { startNatsServer } from "../../scripts/nats_server.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { parseRequest } from "../../src/s3/request.ts";
import type { EndedRequest } from "../../src/s3/log_line.ts";
import type { Store } from "../../src/store/store.ts";
import { newRecord } from "../../src/telemetry/request_record.ts";
import { AccessLog, type AccessLogLimits } from "../../src/workers/access_log.ts";
import { input, openStore, someBytes } from "./store_on_server.ts";

const PHOTOS = "photos" as BucketName;
const LOGS = "logs" as BucketName;
const CONFIGURATION = "<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket>" +
  "<TargetPrefix/></LoggingEnabled></BucketLoggingStatus>";

/** A GET that has ended. */
function ended(bucket: BucketName, count: number): EndedRequest {
  const asked = parseRequest(new Request(`http://localhost/${bucket}/k${count}`), []);
  const record = newRecord({ id: `r${count}`, method: "GET", path: asked.rawPath, client: "::1" });
  return {
    record: { ...record, bucket, key: `k${count}`, user: "alice", status: 200 },
    asked,
    answer: new Headers(),
    parts: undefined,
  };
}

type Warning = readonly [message: string, cause: unknown];

function logOn(
  store: Store,
  limits: Partial<AccessLogLimits>,
): { readonly log: AccessLog; readonly warnings: readonly Warning[] } {
  const warnings: Warning[] = [];
  const log = new AccessLog({
    store,
    account: "000000000000",
    region: "us-east-1",
    checksum: undefined,
    log: { warn: (message, fields) => void warnings.push([message, fields?.cause]) },
    limits: { delay: 0, interval: 50, ...limits },
  });
  return { log, warnings };
}

async function until(passes: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 30_000; !passes();) {
    if (Date.now() > deadline) throw new Error(`The condition never became true: ${passes}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function keysOf(store: Store): Promise<readonly ObjectKey[]> {
  const query = { prefix: "", delimiter: "", after: "", limit: 1000 };
  return (await store.listObjects(LOGS, query)).objects.map(({ key }) => key);
}

/** Limits the target's stream to a number of bytes beyond what it holds, or to none. */
async function leaveRoom(connection: NatsConnection, bytes: number | undefined): Promise<void> {
  const reply = await connection.request("$JS.API.STREAM.INFO.OBJ_logs");
  const { config, state } = reply.json<{ config: object; state: { bytes: number } }>();
  const max_bytes = bytes === undefined ? -1 : state.bytes + bytes;
  await connection.request(
    "$JS.API.STREAM.UPDATE.OBJ_logs",
    JSON.stringify({ ...config, max_bytes }),
  );
}

Deno.test("lines wait while their target is full, and are stored once when it has room", async () => {
  await using server = await startNatsServer();
  await using opened = await openStore(server.url);
  const { store, connection } = opened;
  for (const bucket of [PHOTOS, LOGS]) await store.createBucket(bucket, "alice");
  await store.putDocument(PHOTOS, "logging", CONFIGURATION);
  await store.putObject(LOGS, "a" as ObjectKey, input(someBytes(10)));
  await leaveRoom(connection, 100);
  const { log, warnings } = logOn(store, {});
  log.add(ended(PHOTOS, 1));
  await until(() => warnings.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 300)); // some more attempts
  strictEqual(warnings.length, 1, "one warning for all attempts");
  strictEqual((warnings[0]?.[1] as { code?: string }).code, "QuotaExceeded");
  strictEqual(log.stats.waiting > 0, true);
  deepStrictEqual(await keysOf(store), ["a"]);

  await leaveRoom(connection, undefined);
  await until(() => log.stats.delivered === 1);
  strictEqual((await keysOf(store)).length, 2);
  deepStrictEqual(log.stats.dropped, { memory: 0, undeliverable: 0, stopping: 0 });
  await log[Symbol.asyncDispose]();
});

Deno.test("lines of a target that stays full are dropped after a while, within bounded memory", async () => {
  await using server = await startNatsServer();
  await using opened = await openStore(server.url);
  const { store, connection } = opened;
  for (const bucket of [PHOTOS, LOGS]) await store.createBucket(bucket, "alice");
  await store.putDocument(PHOTOS, "logging", CONFIGURATION);
  await leaveRoom(connection, 100);
  const { log } = logOn(store, { patience: 1000, memory: 20_000, share: 1 });
  let most = 0;
  for (let i = 0; i < 500; i++) {
    log.add(ended(PHOTOS, i));
    most = Math.max(most, log.stats.waiting);
    if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  ok(most <= 20_000, String(most));
  ok(log.stats.dropped.memory > 0);
  await until(() => log.stats.waiting === 0);
  const { memory, undeliverable } = log.stats.dropped;
  strictEqual(memory + undeliverable, 500);
  await log[Symbol.asyncDispose]();
});

Deno.test("a bucket that is not logged costs one small request a second, however many requests it serves", async () => {
  await using server = await startNatsServer();
  let calls = 0;
  await using opened = await openStore(server.url, {
    observe: {
      call: () => {
        calls++;
        return () => {};
      },
    },
  });
  const { store } = opened;
  await store.createBucket(PHOTOS, "alice");
  const { log } = logOn(store, {});
  log.add(ended(PHOTOS, 0));
  await log[Symbol.asyncDispose](); // it has read the document
  calls = 0;
  const began = performance.now();
  for (let i = 0; i < 5000; i++) {
    log.add(ended(PHOTOS, i));
    if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const seconds = (performance.now() - began) / 1000;
  // The revision of the documents once a second, and the stream with its records every three seconds.
  ok(calls <= 2 + 3 * seconds, `${calls} calls in ${seconds} s`);
});
