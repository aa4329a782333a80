/** The public access block of an account, on two gateways over one JetStream. */

import { ok, strictEqual } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import type { Gateway } from "../../src/commands/serve.ts";
import { formatPublicRead } from "../../src/s3/policy.ts";
import { BLOCKS } from "../../src/s3/public_access_block.ts";
import { type Send, signedRequest } from "../api/test_gateway.ts";
import { OPS, startGateway } from "./users_gateway.ts";

const PATH = "/v20180820/configuration/publicAccessBlock";
const HEADERS = { "x-amz-account-id": "000000000000" };
/** Anonymous reads whose requests to JetStream are counted. */
const READS = 40;

function block(on: typeof BLOCKS[number] | undefined): string {
  const switches = BLOCKS.map((name) => `<${name}>${name === on}</${name}>`).join("");
  return `<PublicAccessBlockConfiguration>${switches}</PublicAccessBlockConfiguration>`;
}

async function send(gateway: Gateway, method: string, target: string, more: Send = {}) {
  const response = await gateway(
    signedRequest(method, target, { ...OPS, now: new Date(), ...more }),
  );
  return { status: response.status, text: await response.text() };
}

const read = async (gateway: Gateway): Promise<number> =>
  (await send(gateway, "GET", "/photos/a", { anonymous: true })).status;

/** Answers are in force on another gateway within a second or two, which no test measures. */
async function until(gateway: Gateway, status: number): Promise<void> {
  for (const deadline = Date.now() + 10_000; await read(gateway) !== status;) {
    if (Date.now() > deadline) throw new Error(`An anonymous read never became ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test("the block of an account is in force on every gateway, and begins no isolation", async () => {
  await using server = await startNatsServer();
  await using first = await startGateway(server, [{}]);
  await using second = await startGateway(server, [{}]);
  const [one, two] = [first.gateway, second.gateway];
  await send(one, "PUT", "/photos");
  await send(one, "PUT", "/photos/a", { body: "x" });
  await send(one, "PUT", "/photos?policy", { body: formatPublicRead("photos") });
  await until(two, 200);
  const cost = async (): Promise<number> => {
    const before = second.connection.stats().outMsgs;
    for (let i = 0; i < READS; i++) strictEqual(await read(two), 200);
    return second.connection.stats().outMsgs - before;
  };
  const withoutBlock = await cost();

  const put = (gateway: Gateway, on: typeof BLOCKS[number]) =>
    send(gateway, "PUT", PATH, { headers: HEADERS, body: block(on) });
  strictEqual((await put(one, "BlockPublicPolicy")).status, 200);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const withBlock = await cost();
  ok(withBlock < withoutBlock + READS / 4, `${withBlock} requests instead of ${withoutBlock}`);

  strictEqual((await put(two, "RestrictPublicBuckets")).status, 200);
  strictEqual(await read(two), 403);
  await until(one, 403);
  // Each key may still do everything, also with buckets that another one made.
  strictEqual((await send(one, "GET", "/photos/a")).status, 200);
  const kept = await send(one, "GET", PATH, { headers: HEADERS });
  ok(kept.text.includes("<RestrictPublicBuckets>true<"), kept.text);
  await using third = await startGateway(server, [{}]);
  strictEqual(await read(third.gateway), 403);

  strictEqual((await send(one, "DELETE", PATH, { headers: HEADERS })).status, 200);
  for (const gateway of [one, two, third.gateway]) await until(gateway, 200);
  strictEqual((await send(one, "GET", PATH, { headers: HEADERS })).status, 404);
});
