/** Our own TCP transport against a real server: messages of every size, many at once, and a server that comes back. */

import { ok, rejects, strictEqual } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { connectByPlainTcp } from "../../src/nats/tcp_transport.ts";
import { sameBytes, someBytes } from "./store_on_server.ts";

Deno.test("TcpTransport delivers messages of any size whole and in order", async () => {
  await using server = await startNatsServer();
  const connection = await connectByPlainTcp({ servers: server.url });
  const sizes = [0, 1, 100, 32_700, 32_768, 65_530, 65_536, 70_000, 262_144, 1_000_000];
  const received: Uint8Array[] = [];
  const all = Promise.withResolvers<void>();
  const wanted = sizes.length * 20;
  connection.subscribe("sizes", {
    callback: (_, { data }) => {
      received.push(data);
      if (received.length === wanted) all.resolve();
    },
  });
  for (let round = 0; round < 20; round++) {
    for (const size of sizes) connection.publish("sizes", someBytes(size, round * 31 + size));
    await connection.flush(); // less than what the server takes for a slow consumer
  }
  await all.promise;
  for (const [i, data] of received.entries()) {
    const size = sizes[i % sizes.length] ?? 0;
    const round = Math.floor(i / sizes.length);
    ok(sameBytes(data, someBytes(size, round * 31 + size)), `message ${i} of ${size} bytes`);
  }
  await connection.close();
});

Deno.test("TcpTransport keeps small messages that are held while others arrive", async () => {
  await using server = await startNatsServer();
  const connection = await connectByPlainTcp({ servers: server.url });
  const held: Uint8Array[] = [];
  const all = Promise.withResolvers<void>();
  connection.subscribe("small", {
    callback: (_, { data }) => {
      held.push(data);
      if (held.length === 20_000) all.resolve();
    },
  });
  for (let i = 0; i < 20_000; i++) connection.publish("small", `message ${i}`);
  await all.promise;
  const decoder = new TextDecoder();
  for (const [i, data] of held.entries()) strictEqual(decoder.decode(data), `message ${i}`);
  await connection.close();
});

Deno.test("TcpTransport comes back after the server did", async () => {
  await using server = await startNatsServer();
  const connection = await connectByPlainTcp({
    servers: server.url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  connection.subscribe("echo", { callback: (_, message) => void message.respond(message.data) });
  strictEqual((await connection.request("echo", "1")).string(), "1");
  await server.restart("SIGKILL");
  const deadline = Date.now() + 10_000;
  let answer = "";
  while (answer === "" && Date.now() < deadline) {
    answer = await connection.request("echo", "2", { timeout: 500 })
      .then((message) => message.string(), () => "");
  }
  strictEqual(answer, "2");
  await connection.close();
});

Deno.test("TcpTransport says so when nobody listens, and when it is no NATS", async () => {
  await using server = await startNatsServer();
  const { port } = server;
  await server.kill();
  await rejects(connectByPlainTcp({ servers: `127.0.0.1:${port}`, reconnect: false }));

  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const attempt = connectByPlainTcp({
    servers: `127.0.0.1:${listener.addr.port}`,
    reconnect: false,
  });
  attempt.catch(() => {});
  using other = await accepted;
  await other.write(new TextEncoder().encode("220 smtp.example ESMTP\r\n"));
  await rejects(attempt, /does not speak NATS/);
});
