import { strictEqual } from "node:assert/strict";
import { assertError, createTestGateway } from "./test_gateway.ts";

Deno.test("DeleteBucket deletes only an empty bucket", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  await assertError(await send("DELETE", "/bucket"), 409, "BucketNotEmpty");
  await ok("DELETE", "/bucket/key");
  strictEqual((await ok("DELETE", "/bucket")).status, 204);
  await assertError(await send("DELETE", "/bucket"), 404, "NoSuchBucket");
});

Deno.test("DeleteBucket does not run for a sub-resource", async () => {
  const { ok, send } = await createTestGateway();
  for (const name of ["metadataTable", "metadataConfiguration"]) {
    await assertError(await send("DELETE", `/bucket?${name}`), 501, "NotImplemented");
  }
  for (const name of ["publicAccessBlock", "policy", "lifecycle", "cors", "tagging", "website"]) {
    strictEqual((await send("DELETE", `/bucket?${name}`)).status, 204);
  }
  await assertError(await send("DELETE", "/bucket?versioning"), 405, "MethodNotAllowed");
  await ok("HEAD", "/bucket");
});
