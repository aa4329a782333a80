import { strictEqual } from "node:assert/strict";
import { createTestGateway } from "./test_gateway.ts";

Deno.test("HeadObject answers as GetObject does, without the bytes", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "0123456789", headers: { "x-amz-meta-a": "b" } });
  const head = await ok("HEAD", "/bucket/key");
  const got = await ok("GET", "/bucket/key");
  await got.body?.cancel();
  strictEqual(head.body, null);
  for (const [name, value] of got.headers) {
    if (!/^x-amz-(?:request-id|id-2)$/.test(name)) strictEqual(head.headers.get(name), value, name);
  }
  const range = await ok("HEAD", "/bucket/key", { headers: { range: "bytes=0-3" } });
  strictEqual(range.status, 206);
  strictEqual(range.headers.get("content-length"), "4");
  for (const path of ["/bucket/none", "/missing/key"]) {
    const response = await send("HEAD", path);
    strictEqual(response.status, 404);
    strictEqual(response.body, null);
  }
});
