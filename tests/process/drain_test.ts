/**
 * A gateway that was told to stop: it serves some requests, breaks off others, and clients hardly notice.
 * @module
 */

import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { connect } from "@nats-io/transport-node";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { RawConnection } from "../clients/raw_http.ts";
import { restartUnderLoad, rollUnderSdk } from "./drain_load.ts";
import { bytesOf, CREDENTIALS_ENV, PAIR, signedText } from "../http/wire_request.ts";
import { subjectsOfStream } from "../nats/store_on_server.ts";
import { type RunningCommand, signedFetch, startGateway } from "./running_command.ts";

const MIB = 1024 * 1024;

type Gateway = RunningCommand & { readonly url: string };

/** Starts a gateway with a bucket. */
async function start(server: NatsServer, ...flags: string[]): Promise<Gateway> {
  const gateway = await startGateway(["--natsServers", server.url, ...flags], {
    env: CREDENTIALS_ENV,
  });
  const response = await signedFetch(`${gateway.url}/photos`, PAIR, { method: "PUT" });
  strictEqual(response.status, 200, await response.text());
  return gateway;
}

function portOf({ url }: Gateway): number {
  return Number(new URL(url).port);
}

/** Sends the headers of a PUT; the caller sends the body. */
async function beginPut(gateway: Gateway, key: string, length: number): Promise<RawConnection> {
  const client = await RawConnection.open(portOf(gateway));
  const headers = [["host", "localhost"], ["content-length", String(length)]] as const;
  const request = { method: "PUT", path: `/photos/${key}`, query: "", headers, body: "" };
  await client.send(bytesOf(signedText(request)));
  return client;
}

async function statusOf(gateway: Gateway, method: string, key: string): Promise<number> {
  const body = method === "PUT" ? "some text" : undefined;
  const response = await signedFetch(`${gateway.url}/photos/${key}`, PAIR, {
    method,
    ...(body !== undefined && { body }),
  });
  await response.body?.cancel();
  return response.status;
}

/** Counts the messages under the subjects of chunks. */
async function countChunks(server: NatsServer): Promise<number> {
  const connection = await connect({ servers: server.url });
  try {
    return Object.entries(await subjectsOfStream(connection, "OBJ_photos"))
      .filter(([subject]) => subject.startsWith("$O.photos.C."))
      .reduce((sum, [, count]) => sum + count, 0);
  } finally {
    await connection.close();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

Deno.test("after SIGTERM everything is served while a body arrives, and clients are sent elsewhere", async () => {
  await using server = await startNatsServer();
  await using gateway = await start(server, "--drain.delay", "0s");
  const [, admin] = await gateway.waitFor(/Serving health and metrics.*port=(\d+)/);
  const readiness = async (): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${admin}/readyz`);
    return [response.status, await response.text()];
  };
  strictEqual((await readiness())[0], 200);

  using slow = await beginPut(gateway, "slow", 13);
  await slow.send("first, ");
  await pause(200);
  const stopping = gateway.stop("SIGTERM");
  await gateway.waitFor(/Stopping/);
  const [status, reason] = await readiness();
  strictEqual(status, 503);
  match(reason, /stopping/);
  strictEqual(await statusOf(gateway, "PUT", "meanwhile"), 200);
  const response = await signedFetch(`${gateway.url}/photos/meanwhile`, PAIR);
  strictEqual(await response.text(), "some text");
  strictEqual(response.headers.get("connection"), "close");

  await slow.send("second");
  const finished = await slow.receive();
  strictEqual(finished.status, 200);
  strictEqual(finished.headers.get("connection"), "close");
  strictEqual((await stopping).code, 0, gateway.output);
  await rejects(fetch(gateway.url));
});

Deno.test("after SIGTERM everything is served for the delay", async () => {
  await using server = await startNatsServer();
  await using gateway = await start(server, "--drain.delay", "1s");
  const stopping = gateway.stop();
  await gateway.waitFor(/Stopping/);
  for (let i = 0; i < 5; i++) {
    strictEqual(await statusOf(gateway, "PUT", "new"), 200);
    await pause(50);
  }
  strictEqual((await stopping).code, 0, gateway.output);
});

Deno.test("a body that takes long keeps others out in the end, but not requests without one", async () => {
  await using server = await startNatsServer();
  await using gateway = await start(server, "--drain.delay", "0s", "--drain.timeout", "8s");
  using slow = await beginPut(gateway, "slow", 10);
  await slow.send("12345");
  await pause(200);
  const stopping = gateway.stop();
  await gateway.waitFor(/Stopping/);
  while (await statusOf(gateway, "PUT", "other") === 200) await pause(100);

  const refused = await signedFetch(`${gateway.url}/photos/other`, PAIR, {
    method: "PUT",
    body: "some text",
  });
  strictEqual(refused.status, 503);
  ok(refused.headers.has("retry-after"));
  match(await refused.text(), /<Code>ServiceUnavailable<\/Code>/);
  strictEqual(await statusOf(gateway, "GET", "other"), 200);
  await slow.send("67890");
  strictEqual((await slow.receive()).status, 200);
  strictEqual((await stopping).code, 0, gateway.output);
});

Deno.test("an answer that is under way is read to its end after SIGTERM", async () => {
  await using server = await startNatsServer();
  await using gateway = await start(server, "--drain.delay", "0s");
  const size = 24 * MIB;
  using put = await beginPut(gateway, "large", size);
  for (let sent = 0; sent < size; sent += MIB) await put.send(new Uint8Array(MIB));
  strictEqual((await put.receive()).status, 200);

  const response = await signedFetch(`${gateway.url}/photos/large`, PAIR);
  const reader = response.body?.getReader();
  let taken = (await reader?.read())?.value?.length ?? 0;
  const stopping = gateway.stop();
  await gateway.waitFor(/Stopping/);
  await pause(500);
  await rejects(fetch(gateway.url), "the listener must be closed while the response continues");
  for (let read; !(read = await reader?.read())?.done;) taken += read?.value?.length ?? 0;
  strictEqual(taken, size);
  strictEqual((await stopping).code, 0, gateway.output);
});

Deno.test("what has not ended within --drain.timeout is broken off, and leaves nothing behind", async () => {
  await using server = await startNatsServer();
  await using gateway = await start(server, "--drain.delay", "0s", "--drain.timeout", "1s");
  const size = 24 * MIB;
  using large = await beginPut(gateway, "large", size);
  for (let sent = 0; sent < size; sent += MIB) await large.send(new Uint8Array(MIB));
  strictEqual((await large.receive()).status, 200);
  const before = await countChunks(server);

  using put = await beginPut(gateway, "slow", 4 * MIB);
  await put.send(new Uint8Array(2 * MIB));
  using get = await RawConnection.open(portOf(gateway));
  const headers = [["host", "localhost"]] as const;
  const request = { method: "GET", path: "/photos/large", query: "", headers, body: "" };
  await get.send(signedText(request));
  await get.skip(64 * 1024);
  while (await countChunks(server) === before) await pause(20);
  const stopping = gateway.stop();
  const response = await put.receive();
  strictEqual(response.status, 503);
  match(response.text, /<Code>ServiceUnavailable<\/Code>/);
  strictEqual((await stopping).code, 0, gateway.output);
  ok(await get.drain() < size, "a response must not end as if it were complete");
  match(gateway.output, /Requests in flight take too long/);
  strictEqual(await countChunks(server), before);
});

Deno.test("a second signal ends it at once", async () => {
  await using server = await startNatsServer();
  await using gateway = await start(server);
  using slow = await beginPut(gateway, "slow", 10);
  await slow.send("12345");
  await pause(200);
  const first = gateway.stop("SIGINT");
  await gateway.waitFor(/Stopping/);
  // Wait, because a signal that follows at once counts as the same Ctrl-C, forwarded by another process.
  await pause(700);
  strictEqual((await gateway.stop("SIGINT")).code, 130);
  await first;
});

Deno.test("SIGTERM under mixed load loses no acknowledged write, and cuts no request that had arrived", async () => {
  await restartUnderLoad({ clients: 30, seconds: 1 });
});

Deno.test({
  name: "a rolling restart of two gateways is unnoticed by an SDK with its default retries",
  ignore: Deno.build.os !== "linux", // no other system spreads connections over the processes that share a port
  async fn() {
    await rollUnderSdk({ clients: 6, rounds: 1 });
  },
});
