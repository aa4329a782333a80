/** `tests/nats/list_model_test.ts` on three servers, with each gateway connected to its own. */

import { ok } from "node:assert/strict";
import { Objm } from "@nats-io/obj";
import type { BucketName } from "../../src/s3/names.ts";
import { runListModel } from "../nats/list_model.ts";
import { cluster } from "./store_on_cluster.ts";

Deno.test("200 random steps of three writers list what a model lists, R=3", async () => {
  await using given = await cluster();
  const [a, b] = given.nats.servers;
  ok(a !== undefined && b !== undefined);
  await using first = await given.open([a]);
  await using second = await given.open([b]);
  const bucket = "list-model" as BucketName;
  await first.store.createBucket(bucket, "alice");
  const { list = 0 } = await runListModel({
    bucket,
    gateways: [first.store, second.store],
    native: await new Objm(given.connection).open(bucket),
    steps: 200,
    seed: 3,
  });
  ok(list > 200);
});
