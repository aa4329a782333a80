import { strictEqual } from "node:assert/strict";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { assertError, createTestGateway, NOW } from "./test_gateway.ts";

Deno.test("DeleteObject succeeds also for a missing object", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  for (let i = 0; i < 2; i++) strictEqual((await ok("DELETE", "/bucket/key")).status, 204);
  strictEqual((await send("HEAD", "/bucket/key")).status, 404);
  await assertError(await send("DELETE", "/missing/key"), 404, "NoSuchBucket");
});

Deno.test("DeleteObject checks conditions", async () => {
  const { ok, send } = await createTestGateway();
  const etag = (await ok("PUT", "/bucket/key", { body: "x" })).headers.get("etag") ?? "";
  const wrong = await send("DELETE", "/bucket/key", { headers: { "if-match": '"y"' } });
  await assertError(wrong, 412, "PreconditionFailed");
  await ok("DELETE", "/bucket/key", { headers: { "if-match": etag } });
});

Deno.test("DeleteObject checks size and time", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  const size = "x-amz-if-match-size";
  const time = "x-amz-if-match-last-modified-time";
  const seen = (await ok("HEAD", "/bucket/key")).headers.get("last-modified") ?? "";
  const rows: [Record<string, string>, number, string][] = [
    [{ [size]: "2" }, 412, "PreconditionFailed"],
    [{ [time]: "Wed, 01 May 2024 10:00:01 GMT" }, 412, "PreconditionFailed"],
    [{ [size]: "1", [time]: "Wed, 01 May 2024 10:00:01 GMT" }, 412, "PreconditionFailed"],
    [{ [size]: "2", [time]: seen }, 412, "PreconditionFailed"],
    [{ [size]: "one" }, 400, "InvalidArgument"],
    [{ [time]: "yesterday" }, 400, "InvalidArgument"],
  ];
  for (const [headers, status, code] of rows) {
    await assertError(await send("DELETE", "/bucket/key", { headers }), status, code);
  }
  await ok("DELETE", "/bucket/key", { headers: { [size]: "1", [time]: seen } });
  strictEqual((await send("HEAD", "/bucket/key")).status, 404);
  await ok("DELETE", "/bucket/key", { headers: { [size]: "1", [time]: seen } });
});

Deno.test("DeleteObject knows only the version null", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  await assertError(await send("DELETE", "/bucket/key?versionId=1"), 400, "InvalidArgument");
  await ok("HEAD", "/bucket/key");
  await ok("DELETE", "/bucket/key?versionId=null");
});

Deno.test("DeleteObject does not run for a sub-resource", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  await assertError(
    await send("DELETE", "/bucket/key?annotation&annotationName=a"),
    501,
    "NotImplemented",
  );
  await assertError(await send("DELETE", "/bucket/key?acl"), 405, "MethodNotAllowed");
  await ok("HEAD", "/bucket/key");
});

Deno.test("DeleteObject refuses to delete a locked object", async () => {
  const { ok, send, store } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  const until = new Date(NOW.getTime() + 1000);
  store.retain("bucket" as BucketName, "key" as ObjectKey, until);
  await assertError(await send("DELETE", "/bucket/key"), 403, "AccessDenied");
  const { headers } = await ok("HEAD", "/bucket/key");
  strictEqual(headers.get("x-amz-object-lock-mode"), "GOVERNANCE");
  strictEqual(headers.get("x-amz-object-lock-retain-until-date"), until.toISOString());
});
