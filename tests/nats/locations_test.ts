/** Locations on a cluster: JetStream places their buckets, and every gateway knows them. */

import { connect } from "@nats-io/transport-node";
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { startCluster } from "../../scripts/nats_server.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { STORE_OPTIONS } from "./store_on_server.ts";

const PLACEMENTS = [
  { location: "eu", cluster: "test", tags: ["ssd", "az:1"] },
  { location: "moon", cluster: undefined, tags: ["cheese"] },
];

Deno.test("a bucket is placed as its location says, and every gateway knows the location", async () => {
  await using nats = await startCluster(3, { config: 'server_tags: ["ssd", "az:1"]' });
  const connection = await connect({ servers: nats.urls.split(",") });
  try {
    using store = createNatsStore(connection, { ...STORE_OPTIONS, placements: PLACEMENTS });
    using other = createNatsStore(connection, STORE_OPTIONS);
    const [placed, lost] = ["placed" as BucketName, "lost" as BucketName];
    await store.createBucket(placed, "alice", { location: "eu" });
    const reply = await connection.request("$JS.API.STREAM.INFO.OBJ_placed");
    const { config } = reply.json<{ config: Record<string, unknown> }>();
    deepStrictEqual(config["placement"], { cluster: "test", tags: ["ssd", "az:1"] });
    strictEqual((await other.readBucket(placed)).location, "eu");
    deepStrictEqual((await other.listBuckets()).map(({ location }) => location), ["eu"]);

    await rejects(store.createBucket(lost, "alice", { location: "moon" }), {
      code: "ServiceUnavailable",
      message: "No NATS server fits the placement of moon.",
    });
    strictEqual(await store.hasBucket(lost), false);
    await store.createBucket(lost, "alice", { location: "eu" });
    strictEqual((await store.readBucket(lost)).location, "eu");
  } finally {
    await connection.close();
  }
});
