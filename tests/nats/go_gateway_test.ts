/** A bucket that the Go gateway nats-s3 wrote, restored and served. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { readManifest, restore, STREAMS } from "./go_gateway.ts";
import { input, read, sha256, someBytes, storeOnServer } from "./store_on_server.ts";

Deno.test("the store serves a bucket of the Go gateway", async () => {
  await using given = await storeOnServer();
  for (const stream of STREAMS) await restore(given.connection, stream);
  const { store } = given;
  const { bucket, objects, absent } = await readManifest();

  deepStrictEqual((await store.listBuckets()).map(({ name }) => name as string), [bucket]);
  const page = await store.listObjects(bucket, {
    prefix: "",
    delimiter: "",
    after: "",
    limit: 1000,
  });
  deepStrictEqual(page.objects.map(({ key }) => key as string), Object.keys(objects).sort());

  for (const [name, wanted] of Object.entries(objects)) {
    const { info, bytes } = await read(store, bucket, name as ObjectKey);
    strictEqual(info.size, wanted.size, name);
    strictEqual(sha256(bytes), wanted.sha256, name);
    if (wanted.contentType !== null) {
      strictEqual(info.properties.system.contentType, wanted.contentType, name);
    }
    deepStrictEqual(info.properties.user, wanted.metadata, name);
    deepStrictEqual(info.properties.tags, wanted.tags, name);
    strictEqual(info.retention?.mode, wanted.retention?.mode, name);
    if (wanted.retention !== undefined) {
      deepStrictEqual(info.retention?.until, new Date(wanted.retention.until));
    }
    if (wanted.size > 100) {
      const part = await read(store, bucket, name as ObjectKey, { start: 7, end: 77 });
      strictEqual(sha256(part.bytes), sha256(bytes.subarray(7, 78)), name);
    }
  }
  for (const [name, wanted] of Object.entries(objects)) {
    const key = name as ObjectKey;
    const before = await store.readObject(bucket, key);
    const tags = { ...wanted.tags, more: name === "tagged.csv" ? "b" : "a" };
    await store.putObjectTags(bucket, key, tags);
    const { info, bytes } = await read(store, bucket, key);
    deepStrictEqual(info, { ...before, properties: { ...before.properties, tags } }, name);
    strictEqual(sha256(bytes), wanted.sha256, name);
  }
  for (const key of absent) await rejects(store.readObject(bucket, key), { code: "NoSuchKey" });
});

Deno.test("what the Go gateway locked is neither deleted nor overwritten; the rest is", async () => {
  await using given = await storeOnServer();
  await restore(given.connection, "OBJ_go-gateway");
  const bucket = "go-gateway" as BucketName;
  const locked = "locked.pdf" as ObjectKey;
  const { store } = given;
  await rejects(store.deleteObject(bucket, locked, { precondition: {} }), { code: "AccessDenied" });
  await rejects(store.putObject(bucket, locked, input(someBytes(1))), { code: "AccessDenied" });
  ok((await read(store, bucket, locked)).bytes.length === 5000);
  await store.deleteObject(bucket, "hello.txt" as ObjectKey, { precondition: {} });
  await rejects(store.readObject(bucket, "hello.txt" as ObjectKey), { code: "NoSuchKey" });
});
