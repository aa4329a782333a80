import { strictEqual } from "node:assert/strict";
import { createUpload, uploadPart } from "./multipart_steps.ts";
import { assertError, createTestGateway } from "./test_gateway.ts";

Deno.test("AbortMultipartUpload ends an upload", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway);
  await uploadPart(gateway, uploadId, 1, "x");
  const target = `/bucket/key?uploadId=${uploadId}`;
  strictEqual((await gateway.ok("DELETE", target)).status, 204);
  await assertError(await gateway.send("DELETE", target), 404, "NoSuchUpload");
  await assertError(await gateway.send("GET", target), 404, "NoSuchUpload");
});

Deno.test("AbortMultipartUpload does not touch the object of the same key", async () => {
  const gateway = await createTestGateway();
  await gateway.ok("PUT", "/bucket/key", { body: "x" });
  await gateway.ok("DELETE", `/bucket/key?uploadId=${await createUpload(gateway)}`);
  await gateway.ok("HEAD", "/bucket/key");
});
