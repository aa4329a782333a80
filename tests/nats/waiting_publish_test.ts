/** Publishes that wait for a reconnection. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { connect } from "@nats-io/transport-node";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { Requests } from "../../src/nats/jetstream/requests.ts";
import { someBytes } from "./store_on_server.ts";

Deno.test("a publish that waits for a reconnection sends all its bytes, or fails if they were freed", async () => {
  await using server = await startNatsServer();
  const connection = await connect({
    servers: server.url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
  });
  using requests = new Requests(connection, {
    apiPrefix: "$JS.API",
    inboxPrefix: "_INBOX",
    timeout: 4000,
  });
  const config = { name: "S", subjects: ["s.>"], storage: "file", num_replicas: 1 };
  await requests.call("STREAM.CREATE.S", config);
  const isDown = (async () => {
    for await (const { type } of connection.status()) if (type === "disconnect") return;
  })();
  await server.kill("SIGTERM");
  await isDown;
  const bytes = someBytes(100_000);
  const lost = someBytes(100_000);
  const publishes = [requests.publish("s.kept", bytes), requests.publish("s.freed", lost)];
  const refused = rejects(publishes[1] ?? Promise.resolve(), { name: "NotSent" });
  (lost.buffer as ArrayBuffer).transfer(0);
  await server.start();
  strictEqual(await publishes[0], 1);
  await refused;
  const kept = await requests.leaderGet("S", { seq: 1 });
  deepStrictEqual(kept?.data, bytes);
  strictEqual(await requests.leaderGet("S", { last_by_subj: "s.freed" }), undefined);
  await connection.close();
});
