import { strictEqual } from "node:assert/strict";
import { assertError, createTestGateway, readXml } from "./test_gateway.ts";

Deno.test("GetBucketLocation returns the region, or nothing for us-east-1", async () => {
  const { ok, send } = await createTestGateway();
  const root = await readXml(await ok("GET", "/bucket?location"), "LocationConstraint");
  strictEqual(root.text, "");
  await assertError(await send("GET", "/missing?location"), 404, "NoSuchBucket");
});
