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

Deno.test("AbortMultipartUpload spares an upload that was initiated at another time", async () => {
  const gateway = await createTestGateway();
  const target = `/bucket/key?uploadId=${await createUpload(gateway)}`;
  const header = "x-amz-if-match-initiated-time";
  const wrong = { [header]: "Wed, 01 May 2024 10:00:01 GMT" };
  const refused = await gateway.send("DELETE", target, { headers: wrong });
  await assertError(refused, 412, "PreconditionFailed");
  const malformed = await gateway.send("DELETE", target, { headers: { [header]: "x" } });
  await assertError(malformed, 400, "InvalidArgument");
  await gateway.ok("GET", target);
  await gateway.ok("DELETE", target, { headers: { [header]: "Wed, 01 May 2024 10:00:00 GMT" } });
  await assertError(await gateway.send("GET", target), 404, "NoSuchUpload");
});
