/**
 * What a store says of itself while it works: metrics are made of it.
 * @module
 */

import { ok, strictEqual } from "node:assert/strict";
import { connect } from "@nats-io/transport-node";
import { startNatsServer } from "../../scripts/nats_server.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { STORE_OPTIONS } from "./store_on_server.ts";

const BUCKET = "photos" as BucketName;
/** More than are pushed at once. */
const KEYS = 20_000;

Deno.test("a store says how many changes its listings have not seen yet", async () => {
  await using server = await startNatsServer();
  const connection = await connect({ servers: server.url });
  const waits: number[] = [];
  const store = createNatsStore(connection, {
    ...STORE_OPTIONS,
    observe: { indexed: (milliseconds) => waits.push(milliseconds) },
  });
  try {
    await store.createBucket(BUCKET, "ann");
    // Not one of them is an object: that costs less to make, and as much to read.
    for (let i = 0; i < KEYS; i++) {
      connection.publish(infoSubject(BUCKET as string as StoreName, `k${i}` as ObjectKey), "{}");
    }
    await connection.flush();
    strictEqual(store.stats().index.pending, 0);
    let listed = false;
    const page = store.listObjects(BUCKET, {
      prefix: "",
      delimiter: "",
      after: "",
      limit: 1000,
    }).finally(() => listed = true);
    let most = 0;
    while (!listed) {
      most = Math.max(most, store.stats().index.pending);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await page;
    ok(most > KEYS / 10 && most <= KEYS + 10, `${most}`);
    strictEqual(store.stats().index.pending, 0);
    strictEqual(waits.length, 1);
  } finally {
    store[Symbol.dispose]();
    await connection.close();
  }
});
