import { connect } from "@nats-io/transport-node";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { ok, rejects, strictEqual } from "node:assert/strict";
import { startCluster, startNatsServer } from "./nats_server.ts";

Deno.test("startNatsServer() keeps port and data when the server is killed", async () => {
  await using server = await startNatsServer();
  const { port, pid } = server;
  {
    const connection = await connect({ servers: server.url });
    await (await jetstreamManager(connection)).streams.add({ name: "s", subjects: ["s"] });
    await jetstream(connection).publish("s", "kept");
    await connection.close();
  }
  await server.kill("SIGKILL");
  strictEqual(server.pid, 0);
  await rejects(connect({ servers: server.url, reconnect: false }));
  await server.start();
  strictEqual(server.port, port);
  ok(server.pid !== pid);

  const connection = await connect({ servers: server.url });
  const { state } = await (await jetstreamManager(connection)).streams.info("s");
  strictEqual(state.messages, 1);
  await connection.close();
});

Deno.test("startNatsServer() stops the process and removes its data when disposed", async () => {
  let pid = 0;
  let storeDir = "";
  {
    await using server = await startNatsServer();
    ({ pid, storeDir } = server);
    ok((await Deno.stat(storeDir)).isDirectory);
  }
  await rejects(Deno.stat(storeDir), Deno.errors.NotFound);
  const { success } = await new Deno.Command("kill", { args: ["-0", String(pid)] }).output();
  strictEqual(success, false);
});

Deno.test("startNatsServer() reports an invalid configuration", async () => {
  await rejects(startNatsServer({ config: "nosuchfield: 1" }), /unknown field "nosuchfield"/);
});

Deno.test("startNatsServer() reports that a port is in use", async () => {
  await using server = await startNatsServer();
  await rejects(startNatsServer({ port: server.port }), /address already in use/);
});

Deno.test("startNatsServer() applies limits within the jetstream block", async () => {
  await using server = await startNatsServer({ jetstream: "max_file_store: 16MB" });
  const connection = await connect({ servers: server.url });
  const manager = await jetstreamManager(connection);
  await rejects(
    manager.streams.add({ name: "s", subjects: ["s"], max_bytes: 64 * 1024 * 1024 }),
    /insufficient storage/,
  );
  await connection.close();
});

Deno.test("startCluster() accepts replicated streams, and survives the loss of a server", async () => {
  await using cluster = await startCluster(3);
  const connection = await connect({ servers: cluster.urls.split(",") });
  const manager = await jetstreamManager(connection, { timeout: 10_000 });
  const { cluster: placed } = await manager.streams.add({
    name: "s",
    subjects: ["s"],
    num_replicas: 3,
  });
  strictEqual(placed?.replicas?.length, 2);
  const other = cluster.servers.find(({ port }) => !connection.getServer().endsWith(`:${port}`));
  await other?.kill();
  const deadline = Date.now() + 30_000;
  let seq = 0;
  while (seq === 0 && Date.now() < deadline) {
    seq = await jetstream(connection).publish("s", "x").then((ack) => ack.seq, () => 0);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  ok(seq > 0);
  await connection.close();
});
