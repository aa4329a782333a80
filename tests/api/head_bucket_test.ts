import { strictEqual } from "node:assert/strict";
import { createTestGateway } from "./test_gateway.ts";

Deno.test("HeadBucket returns whether a bucket exists, and its region", async () => {
  const { send } = await createTestGateway();
  const there = await send("HEAD", "/bucket");
  strictEqual(there.status, 200);
  strictEqual(there.headers.get("x-amz-bucket-region"), "us-east-1");
  const missing = await send("HEAD", "/missing");
  strictEqual(missing.status, 404);
  strictEqual(missing.body, null);
});
