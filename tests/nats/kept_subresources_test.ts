/** The sub-resources of a bucket that are kept, on two gateways over one JetStream. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { KEPT, type Kept } from "../api/bucket_subresources.ts";
import { createTestGateway, type TestGateway } from "../api/test_gateway.ts";
import { openStore, type StoreOnServer } from "./store_on_server.ts";

/** Answers are in force on another gateway within a second or two, which no test measures. */
async function until(what: string, passes: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; !await passes();) {
    if (Date.now() > deadline) throw new Error(`It never became true that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function gatewayOn({ store }: Pick<StoreOnServer, "store">): Promise<TestGateway> {
  return await createTestGateway({ store });
}

/** Changes a sub-resource of a bucket of its own on one gateway, and waits for the other. */
async function followOnBoth(
  [one, two]: readonly [TestGateway, TestGateway],
  bucket: string,
  { query, valid: example, reset }: Kept,
): Promise<void> {
  // A policy names its bucket.
  const valid = example.replaceAll(":::bucket", `:::${bucket}`);
  const target = `/${bucket}?${query}`;
  const read = async ({ send }: TestGateway): Promise<string> => {
    const response = await send("GET", target);
    const text = await response.text();
    // An error names the request.
    return `${response.status} ${text.replace(/<RequestId>.*<\/HostId>/, "")}`;
  };
  await one.ok("PUT", `/${bucket}`);
  const never = await read(one);
  strictEqual(await read(two), never);
  const kept = `200 ${valid}`;
  await one.ok("PUT", target, { body: valid });
  strictEqual(await read(one), kept);
  await until("the other gateway has it", async () => await read(two) === kept);

  if (reset === "DELETE") await two.ok("DELETE", target);
  else await two.ok("PUT", target, { body: reset.put });
  const isCleared = reset === "DELETE" || reset.clears === true;
  const after = isCleared ? never : `200 ${reset.put}`;
  strictEqual(await read(two), after);
  await until("the first gateway knows", async () => await read(one) === after);

  await one.ok("PUT", target, { body: valid });
  await one.ok("DELETE", `/${bucket}`);
  await one.ok("PUT", `/${bucket}`);
  strictEqual(await read(one), never);
  await until("the other gateway forgot it", async () => await read(two) === never);
}

// Each waits for the other gateway for seconds, so all wait at the same time.
Deno.test("a sub-resource that one gateway changes is soon the same on another, and gone with its bucket", async () => {
  await using server = await startNatsServer();
  await using first = await openStore(server.url);
  await using second = await openStore(server.url);
  const gateways = [await gatewayOn(first), await gatewayOn(second)] as const;
  const failures: string[] = [];
  await Promise.all(KEPT.map(async (kept, i) => {
    try {
      await followOnBoth(gateways, `bucket-${i}`, kept);
    } catch (cause) {
      failures.push(`${kept.query}: ${cause}`);
    }
  }));
  deepStrictEqual(failures, []);
});
