/** Our own TCP transport against a real server: messages of every size, many at once, and a server that comes back. */

import type { NatsConnection } from "@nats-io/nats-core";
import type { NatsConnectionImpl } from "@nats-io/nats-core/internal";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { freePort, type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { connectByTcp } from "../../src/nats/connection/tcp_transport.ts";
import { sameBytes, someBytes } from "./store_on_server.ts";

const TLS = `${import.meta.dirname}/../fixtures/tls`;
const CA = Deno.readTextFileSync(`${TLS}/ca.pem`);

/** Configuration of a server with this certificate. */
function tlsConfig(certificate: string): string {
  return `tls { cert_file: "${TLS}/${certificate}.pem", key_file: "${TLS}/${certificate}-key.pem" }`;
}

for (
  const [name, config, options] of [
    ["TcpTransport", "", {}],
    ["TcpTransport with TLS", tlsConfig("server"), { tls: { ca: CA } }],
  ] as const
) {
  Deno.test(`${name} delivers messages of any size whole and in order`, async () => {
    await using server = await startNatsServer({ config });
    const connection = await connectByTcp({ servers: server.url, ...options });
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

  Deno.test(`${name} comes back after the server did`, async () => {
    await using server = await startNatsServer({ config });
    const connection = await connectByTcp({
      servers: server.url,
      ...options,
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
}

Deno.test("TcpTransport keeps small messages that are held while others arrive", async () => {
  await using server = await startNatsServer();
  const connection = await connectByTcp({ servers: server.url });
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

Deno.test("TcpTransport says so when nobody listens, and when it is no NATS", async () => {
  await using server = await startNatsServer();
  const { port } = server;
  await server.kill();
  await rejects(connectByTcp({ servers: `127.0.0.1:${port}`, reconnect: false }));

  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const attempt = connectByTcp({
    servers: `127.0.0.1:${listener.addr.port}`,
    reconnect: false,
  });
  attempt.catch(() => {});
  using other = await accepted;
  await other.write(new TextEncoder().encode("220 smtp.example ESMTP\r\n"));
  await rejects(attempt, /does not speak NATS/);
});

Deno.test("TcpTransport gives up a TLS handshake that never ends", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const attempt = connectByTcp({
    servers: `127.0.0.1:${listener.addr.port}`,
    reconnect: false,
    timeout: 300,
    tls: { ca: CA },
  });
  attempt.catch(() => {});
  using other = await listener.accept();
  await other.write(new TextEncoder().encode('INFO {"tls_required":true}\r\n'));
  await rejects(attempt, { name: "TimeoutError" });
  // What was begun is closed: all that comes still is the beginning of TLS.
  await Array.fromAsync(other.readable);
});

Deno.test("TcpTransport believes no server that is named before TLS", async () => {
  await using server = await startNatsServer({ config: tlsConfig("server") });
  using between = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let wasAsked = false;
  other.accept().then((connection) => {
    wasAsked = true;
    connection.close();
  }, () => {});
  const attempt = connectByTcp({
    servers: `127.0.0.1:${between.addr.port}`,
    tls: { ca: CA },
    timeout: 500,
  });
  attempt.catch(() => {});
  await forge(between, server.port, `127.0.0.1:${other.addr.port}`);
  await rejects(attempt);
  strictEqual(wasAsked, false);
});

/** Puts another server into what a server says first, and cuts the connection once TLS has begun. */
async function forge(listener: Deno.TcpListener, port: number, other: string): Promise<void> {
  using client = await listener.accept();
  using server = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = new Uint8Array(65_536);
  const read = async (from: Deno.TcpConn): Promise<Uint8Array> =>
    bytes.slice(0, await from.read(bytes) ?? 0);
  const info = new TextDecoder().decode(await read(server));
  const forged = info.replace("INFO {", `INFO {"connect_urls":["${other}"],`);
  await client.write(new TextEncoder().encode(forged));
  await server.write(await read(client));
  await client.write(await read(server));
  await read(client);
}

/** The servers that a connection knows. */
function poolOf(connection: NatsConnection): string[] {
  const { protocol } = connection as NatsConnectionImpl;
  return protocol.servers.getServers().map(({ listen }) => listen).sort();
}

Deno.test("TcpTransport takes the name of one server for that of all, and an address for its own", async () => {
  const routes = [freePort(), freePort()];
  const start = (index: number): Promise<NatsServer> =>
    startNatsServer({
      config: `${tlsConfig("name")}
        server_name: "n${index}"
        cluster { name: test, listen: "127.0.0.1:${routes[index]}"
          routes: [${routes.map((port) => `"nats://127.0.0.1:${port}"`)}] }`,
    });
  await using first = await start(0);
  await using second = await start(1);
  const connection = await connectByTcp({
    servers: `localhost:${first.port}`,
    tls: { ca: CA },
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
  });
  const deadline = Date.now() + 20_000;
  const all = [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`, `localhost:${first.port}`];
  while (poolOf(connection).length < all.length && Date.now() < deadline) await delay(20);
  deepStrictEqual(poolOf(connection), all.sort());
  await first.kill();
  while (connection.getServer() !== `127.0.0.1:${second.port}` && Date.now() < deadline) {
    await delay(20);
  }
  await connection.flush();
  strictEqual(connection.getServer(), `127.0.0.1:${second.port}`);
  await connection.close();

  await rejects(
    connectByTcp({ servers: second.url, tls: { ca: CA }, reconnect: false }),
    /does not match/,
  );
});

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
