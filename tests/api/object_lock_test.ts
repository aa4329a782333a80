/** GetObjectRetention and GetObjectLegalHold. */

import { strictEqual } from "node:assert/strict";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { textOf } from "../../src/s3/xml_reader.ts";
import { assertError, createTestGateway, readXml } from "./test_gateway.ts";

const BUCKET = "bucket" as BucketName;
const KEY = "key" as ObjectKey;
const UNTIL = new Date("2030-01-02T03:04:05.678Z");

Deno.test("an object without a lock is answered as in a bucket without object lock", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  for (const query of ["retention", "legal-hold", "retention&versionId=null"]) {
    const error = await assertError(
      await send("GET", `/bucket/key?${query}`),
      400,
      "InvalidRequest",
    );
    strictEqual(textOf(error, "Message"), "Bucket is missing Object Lock Configuration");
    const code = query.includes("versionId") ? "NoSuchVersion" : "NoSuchKey";
    await assertError(await send("GET", `/bucket/missing?${query}`), 404, code);
    await assertError(await send("GET", `/missing/key?${query}`), 404, "NoSuchBucket");
  }
  await assertError(
    await send("GET", "/bucket/key?retention&versionId=0123456789abcdef"),
    404,
    "NoSuchVersion",
  );
});

Deno.test("GetObjectRetention returns until when another program locked an object", async () => {
  const { ok, send, store } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  store.retain(BUCKET, KEY, UNTIL);
  const root = await readXml(await ok("GET", "/bucket/key?retention"), "Retention");
  strictEqual(textOf(root, "Mode"), "GOVERNANCE");
  strictEqual(textOf(root, "RetainUntilDate"), UNTIL.toISOString());
  const hold = await send("GET", "/bucket/key?legal-hold");
  await assertError(hold, 404, "NoSuchObjectLockConfiguration");
});

Deno.test("GetObjectLegalHold and HeadObject return another program's hold", async () => {
  const { ok, send, store } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  store.hold(BUCKET, KEY);
  const root = await readXml(await ok("GET", "/bucket/key?legal-hold"), "LegalHold");
  strictEqual(textOf(root, "Status"), "ON");
  const head = await ok("HEAD", "/bucket/key");
  strictEqual(head.headers.get("x-amz-object-lock-legal-hold"), "ON");
  const retention = await send("GET", "/bucket/key?retention");
  await assertError(retention, 404, "NoSuchObjectLockConfiguration");
  await assertError(await send("DELETE", "/bucket/key"), 403, "AccessDenied");
});
