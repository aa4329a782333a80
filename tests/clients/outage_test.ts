/** nats-server starts late, stops, hangs and comes back; the gateway keeps running. */

import { match, ok, strictEqual } from "node:assert/strict";
import { freePort, startNatsServer } from "../../scripts/nats_server.ts";
import { type GatewayProcess, spawnGateway, startGateway } from "./gateway_process.ts";
import { ask, demand, type Request } from "./signed_request.ts";

/** Milliseconds within which the gateway responds to a request although NATS is gone. */
const RESPONSE_TIMEOUT = 10_000;

const REQUESTS: Readonly<Record<string, Request & { readonly body?: string }>> = {
  "ListBuckets": { path: "/" },
  "HeadBucket": { method: "HEAD", path: "/outage" },
  "ListObjectsV2": { path: "/outage", query: "list-type=2" },
  "GetObject": { path: "/outage/kept" },
  "PutObject": { method: "PUT", path: "/outage/new", body: "x".repeat(500_000) },
  "DeleteObject": { method: "DELETE", path: "/outage/kept" },
  "CreateMultipartUpload": { method: "POST", path: "/outage/new", query: "uploads=" },
  "CreateBucket": { method: "PUT", path: "/another" },
};

/** Expects 503 within seconds for each of the requests, sent at once. */
async function expectUnavailable(gateway: GatewayProcess): Promise<void> {
  await Promise.all(
    Object.entries(REQUESTS).map(async ([name, asked]) => {
      const began = Date.now();
      const response = await ask(gateway, asked);
      const text = await response.text();
      const took = Date.now() - began;
      strictEqual(response.status, 503, `${name}: ${text}`);
      ok(response.headers.has("retry-after"), name);
      if (asked.method !== "HEAD") match(text, /<Code>(ServiceUnavailable|SlowDown)<\/Code>/, name);
      ok(took < RESPONSE_TIMEOUT, `${name} took ${took} ms`);
    }),
  );
}

/** Expects everything to work again within the time of a reconnect. */
async function expectRecovery(gateway: GatewayProcess): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const response = await ask(gateway, { path: "/outage/kept" });
    const text = await response.text();
    if (response.status === 200) {
      strictEqual(text, "kept");
      break;
    }
    strictEqual(response.status, 503, text);
    ok(Date.now() < deadline, "the gateway does not recover");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const body = crypto.randomUUID().repeat(10_000);
  await demand(gateway, 200, { method: "PUT", path: "/outage/after", body });
  strictEqual(await demand(gateway, 200, { path: "/outage/after" }), body);
  const listed = await demand(gateway, 200, { path: "/outage", query: "list-type=2" });
  match(listed, /<Key>after<\/Key>.*<Key>kept<\/Key>/);
}

async function prepare(gateway: GatewayProcess): Promise<void> {
  await demand(gateway, 200, { method: "PUT", path: "/outage" });
  await demand(gateway, 200, { method: "PUT", path: "/outage/kept", body: "kept" });
}

Deno.test("a killed nats-server means 503 within seconds, and recovery without a restart", async (t) => {
  await using gateway = await startGateway({ mayLogErrors: true });
  await prepare(gateway);
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    await t.step(signal, async () => {
      await gateway.server.kill(signal);
      await expectUnavailable(gateway);
      ok(gateway.isRunning);
      await gateway.server.start();
      await expectRecovery(gateway);
    });
  }
});

Deno.test("a nats-server that hangs means 503 within seconds, and recovery", async () => {
  await using gateway = await startGateway({ mayLogErrors: true });
  await prepare(gateway);
  await gateway.server.kill("SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, 200)); // its threads stop one by one
  try {
    await expectUnavailable(gateway);
  } finally {
    await gateway.server.kill("SIGCONT");
  }
  await demand(gateway, 200, { path: "/outage", query: "list-type=2" });
  // A PUT or DELETE without a response may still have happened: write the object again.
  await demand(gateway, 200, { method: "PUT", path: "/outage/kept", body: "kept" });
  await expectRecovery(gateway);
});

Deno.test("a nats-server that is killed in the middle of a GET and a PUT breaks only these", async () => {
  await using gateway = await startGateway({ mayLogErrors: true });
  await prepare(gateway);
  const big = new Uint8Array(64 * 1024 * 1024);
  await demand(gateway, 200, { method: "PUT", path: "/outage/big", body: big });

  const response = await ask(gateway, { path: "/outage/big" });
  const reader = response.body?.getReader();
  await reader?.read();
  const putting = ask(gateway, {
    method: "PUT",
    path: "/outage/kept",
    body: ReadableStream.from((async function* () {
      for (let i = 0; i < 40; i++) {
        yield new Uint8Array(100_000);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })()),
  }).then(async (response) => {
    await response.body?.cancel();
    return response.status;
  }, () => "broken");
  await new Promise((resolve) => setTimeout(resolve, 500));
  await gateway.server.kill("SIGKILL");
  const killed = Date.now();

  let size = 0;
  const read = (async () => {
    for (let piece; (piece = await reader?.read()) && !piece.done;) size += piece.value.length;
    return "whole";
  })().catch(() => "broken");
  strictEqual(await read, "broken", "a GET must not end as if it were whole");
  ok(size < big.length);
  const put = await putting;
  ok(put === 503 || put === "broken", `the PUT ended with ${put}`);
  const took = Date.now() - killed;
  ok(took < 2 * RESPONSE_TIMEOUT, `both took ${took} ms to end`);

  await gateway.server.start();
  await expectRecovery(gateway);
});

/** Returns whether a line says that nats-server does not answer. */
function isUnreachable({ msg }: { readonly msg: string }): boolean {
  return msg.startsWith("Cannot reach NATS, trying again");
}

Deno.test("a gateway that starts before nats-server says so, tries again, and then serves", async () => {
  const port = freePort();
  await using gateway = spawnGateway({ natsUrl: `nats://127.0.0.1:${port}` });
  const line = await gateway.logged(isUnreachable);
  strictEqual(line.level, "warn");
  match(String(line["servers"]), new RegExp(`127\\.0\\.0\\.1:${port}`));
  await gateway.logged(({ msg }) => msg === line.msg);

  await using _server = await startNatsServer({ port });
  await gateway.listening(20_000);
  await prepare(gateway);
  strictEqual(await demand(gateway, 200, { path: "/outage/kept" }), "kept");
});

Deno.test("a gateway that waits for nats-server ends at SIGTERM with code 0", async () => {
  await using gateway = spawnGateway({ natsUrl: `nats://127.0.0.1:${freePort()}` });
  await gateway.logged(isUnreachable);
  const began = Date.now();
  strictEqual(await gateway.stop(), 0);
  ok(Date.now() - began < 3000);
});

Deno.test("a gateway without nats-server any more ends at SIGTERM with code 0", async () => {
  await using gateway = await startGateway({ mayLogErrors: true });
  await prepare(gateway);
  await gateway.server.kill("SIGKILL");
  const began = Date.now();
  strictEqual(await gateway.stop(), 0);
  ok(Date.now() - began < 10_000);
});

Deno.test("SIGTERM lets a GET that is under way end", async () => {
  await using gateway = await startGateway();
  await prepare(gateway);
  const big = new Uint8Array(24 * 1024 * 1024);
  await demand(gateway, 200, { method: "PUT", path: "/outage/big", body: big });
  const response = await ask(gateway, { path: "/outage/big" });
  const stopped = gateway.stop();
  await new Promise((resolve) => setTimeout(resolve, 500));
  strictEqual((await response.bytes()).length, big.length);
  strictEqual(await stopped, 0);
});
