/** Subscriptions that NATS denies for a while: the gateway recovers by itself, without a restart or a reconnection. */

import { ok, rejects, strictEqual } from "node:assert/strict";
import { connect } from "@nats-io/transport-node";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { announceService, Traffic } from "../../src/nats/monitoring/service.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { SILENT_LOG } from "../../src/telemetry/log.ts";
import { input, read, sameBytes, someBytes, STORE_OPTIONS } from "./store_on_server.ts";

const bucket = "inbox" as BucketName;
const key = "k" as ObjectKey;
const BYTES = someBytes(500_000);

/** Users of whom one, the gateway, may not subscribe to a subject. */
function users(denied: string): string {
  return `authorization { users: [
    { user: gateway, password: secret, permissions: {
      publish: ">", subscribe: { allow: ">", deny: ["${denied}"] }
    } },
    { user: tom, password: secret }
  ] }`;
}

/** Repeats work until it is what is wanted; only a broken gateway needs all attempts. */
async function until(isDone: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    if (await isDone()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("It never was as it should be");
}

Deno.test("an inbox that was denied comes back: requests are answered again, and listings", async () => {
  await using server = await startNatsServer({ config: users("nothing") });
  const connection = await connect({ servers: server.url, user: "gateway", pass: "secret" });
  const store = createNatsStore(connection, { ...STORE_OPTIONS, timeout: 1000 });
  let disconnects = 0;
  (async () => {
    for await (const { type } of connection.status()) if (type === "disconnect") disconnects++;
  })();
  try {
    await store.createBucket(bucket, "alice");
    await store.putObject(bucket, key, input(BYTES));
    const keys = async (): Promise<readonly string[]> => {
      const query = { prefix: "", delimiter: "", after: "", limit: 10 };
      return (await store.listObjects(bucket, query)).objects.map(({ key }) => key);
    };
    strictEqual((await keys()).length, 1);

    for (let round = 0; round < 2; round++) {
      await server.reload(users("_INBOX.>"));
      await until(() => store.readObject(bucket, key).then(() => false, () => true));
      await rejects(store.putObject(bucket, key, input(BYTES)), { code: "ServiceUnavailable" });
      ok(await store.problem() !== undefined);
      await server.reload(users("nothing"));
      await until(() => store.readObject(bucket, key).then(() => true, () => false));
    }
    await until(() => keys().then(() => true, () => false));

    strictEqual(await store.problem(), undefined);
    ok(sameBytes((await read(store, bucket, key)).bytes, BYTES));
    const next = "next" as ObjectKey;
    await store.putObject(bucket, next, input(BYTES));
    strictEqual((await keys()).join(), [key, next].join());
    strictEqual(disconnects, 0, "the same connection");
  } finally {
    store[Symbol.dispose]();
    await connection.close();
  }
});

Deno.test("a listing whose deliveries are denied is unavailable, and names the permission", async () => {
  // Responses have one token more than what a consumer delivers to.
  await using server = await startNatsServer({ config: users("_INBOX.*") });
  const connection = await connect({ servers: server.url, user: "gateway", pass: "secret" });
  const store = createNatsStore(connection, { ...STORE_OPTIONS, timeout: 1000 });
  try {
    await store.createBucket(bucket, "alice");
    await store.putObject(bucket, key, input(BYTES));
    const query = { prefix: "", delimiter: "", after: "", limit: 10 };
    await rejects(store.listObjects(bucket, query), {
      code: "ServiceUnavailable",
      message: "The gateway lacks a NATS permission; its log names it.",
    });
  } finally {
    store[Symbol.dispose]();
    await connection.close();
  }
});

Deno.test("the micro service that was denied is shown again", async () => {
  await using server = await startNatsServer({ config: users("nothing") });
  const connection = await connect({ servers: server.url, user: "gateway", pass: "secret" });
  const asker = await connect({ servers: server.url, user: "tom", pass: "secret" });
  using _service = announceService(connection, {
    version: "1.2.3",
    metadata: {},
    traffic: new Traffic(),
    log: SILENT_LOG,
  });
  const isShown = async (): Promise<boolean> => {
    for (const subject of ["$SRV.PING", "$SRV.STATS.nats-s3"]) {
      const reply = await asker.request(subject, "", { timeout: 500 }).catch(() => undefined);
      if (reply === undefined) return false;
    }
    return true;
  };
  try {
    await until(isShown);
    for (const denied of ["$SRV.>", "$SRV.STATS.>"]) {
      await server.reload(users(denied));
      await until(async () => !await isShown());
      await server.reload(users("nothing"));
      await until(isShown);
    }
  } finally {
    await asker.close();
    await connection.close();
  }
});
