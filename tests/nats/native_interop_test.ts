/** What S3 writes native clients read, and the other way round. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import type { BucketName, ObjectKey, PartNumber } from "../../src/s3/names.ts";
import {
  input,
  read,
  sameBytes,
  sha256,
  sharedServer,
  someBytes,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "inter.op" as BucketName;
const native = "inter_op";
const key = (text: string): ObjectKey => text as ObjectKey;

Deno.test("a native client reads what one put stored, with a valid digest", async () => {
  await using given = await storeOnServer({ on });
  await given.store.createBucket(bucket, "alice");
  const objects = await given.native.open(native);
  for (const size of [0, 1, 131_072, 262_144, 262_145, 3_000_000]) {
    const bytes = someBytes(size);
    await given.store.putObject(bucket, key(`a/${size}`), input(bytes));
    const blob = await objects.getBlob(`a/${size}`); // throws when the digest is wrong
    ok(blob !== null && sameBytes(blob, bytes), `${size} bytes`);
    const info = await objects.info(`a/${size}`);
    strictEqual(info?.size, size);
    strictEqual(info?.headers?.get("Content-Type"), "text/plain");
  }
  deepStrictEqual((await objects.list()).map(({ name }) => name).length, 6);
});

Deno.test("the store reads what a native client put: whole, by range and in listings", async () => {
  await using given = await storeOnServer({ on });
  const objects = await given.native.create(native);
  for (const size of [0, 1, 131_072, 131_073, 3_000_001]) {
    const bytes = someBytes(size, 7);
    await objects.putBlob({ name: `n ${size}` }, bytes);
    const all = await read(given.store, bucket, key(`n ${size}`));
    ok(sameBytes(all.bytes, bytes), `${size} bytes`);
    strictEqual(all.info.size, size);
    ok(/^[0-9a-f]{32}-0$/.test(all.info.etag), "an ETag that no client takes for an MD5");
    for (const [start, end] of [[0, 0], [131_000, 131_100], [2_000_000, 2_500_000]] as const) {
      if (end >= size) continue;
      const part = await read(given.store, bucket, key(`n ${size}`), { start, end });
      ok(sameBytes(part.bytes, bytes.subarray(start, end + 1)), `${start}-${end} of ${size}`);
    }
  }
  const page = await given.store.listObjects(bucket, {
    prefix: "n ",
    delimiter: "",
    after: "",
    limit: 10,
  });
  deepStrictEqual(page.objects.map(({ key }) => key as string), [
    "n 0",
    "n 1",
    "n 131072",
    "n 131073",
    "n 3000001",
  ]);
  strictEqual((await given.store.readBucket(bucket)).owner, "native");
});

Deno.test("a range of a native object is read before the whole was", async () => {
  await using given = await storeOnServer({ on });
  const objects = await given.native.create(native);
  const bytes = someBytes(2_000_000);
  await objects.putBlob({ name: "big" }, bytes);
  for (const [start, end] of [[1_500_000, 1_600_000], [0, 10], [1_999_999, 1_999_999]] as const) {
    const part = await read(given.store, bucket, key("big"), { start, end });
    ok(sameBytes(part.bytes, bytes.subarray(start, end + 1)));
  }
});

Deno.test("overwrites and deletes from either side are seen by the other", async () => {
  await using given = await storeOnServer({ on });
  const { store } = given;
  const objects = await given.native.create(native);
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

  await objects.putBlob({ name: "k" }, bytes("native 1"));
  await store.putObject(bucket, key("k"), input(bytes("s3 2")));
  strictEqual(new TextDecoder().decode(await objects.getBlob("k") ?? undefined), "s3 2");
  await objects.putBlob({ name: "k" }, bytes("native 3"));
  strictEqual(new TextDecoder().decode((await read(store, bucket, key("k"))).bytes), "native 3");
  await store.deleteObject(bucket, key("k"), { precondition: {} });
  strictEqual(await objects.getBlob("k"), null);
  await store.putObject(bucket, key("k"), input(bytes("s3 4")));
  await objects.delete("k");
  await rejects(store.readObject(bucket, key("k")), { code: "NoSuchKey" });
  const page = await store.listObjects(bucket, { prefix: "", delimiter: "", after: "", limit: 10 });
  deepStrictEqual(page.objects, []);
  strictEqual((await objects.list()).length, 0);
});

Deno.test("metadata that a native client replaced leaves a readable object", async () => {
  await using given = await storeOnServer({ on });
  const { store } = given;
  await store.createBucket(bucket, "alice");
  const bytes = someBytes(1_000_000);
  const put = await store.putObject(bucket, key("old name"), input(bytes));
  const objects = await given.native.open(native);
  await objects.update("old name", { name: "new name", metadata: { mine: "1" } });
  const { info, bytes: found } = await read(store, bucket, key("new name"));
  ok(sameBytes(found, bytes));
  ok(info.etag !== put.etag && info.etag.startsWith(sha256(bytes).slice(0, 32)));
  await rejects(store.readObject(bucket, key("old name")), { code: "NoSuchKey" });
});

Deno.test("a multipart object is whole for S3 and absent for native clients", async () => {
  await using given = await storeOnServer({ on });
  const { store } = given;
  await store.createBucket(bucket, "alice");
  const properties = { system: {}, user: { a: "é" }, tags: {} };
  const id = await store.createUpload(bucket, key("big"), {
    properties,
    owner: "alice",
    algorithm: undefined,
    checksumType: undefined,
  });
  const parts = [someBytes(600_000, 1), someBytes(600_000, 2), someBytes(5, 3)];
  const etags: string[] = [];
  for (const [i, bytes] of parts.entries()) {
    const { content, signal } = input(bytes);
    const part = await store.putPart(bucket, key("big"), id, i + 1 as PartNumber, {
      content,
      signal,
    });
    etags.push(part.etag);
  }
  const done = await store.completeUpload(bucket, key("big"), id, {
    parts: etags.map((etag, i) => ({ number: i + 1 as PartNumber, etag, checksum: undefined })),
    precondition: {},
    checksum: undefined,
    size: undefined,
  });
  const md5 = createHash("md5");
  for (const etag of etags) md5.update(etag, "hex");
  strictEqual(done.etag, `${md5.digest("hex")}-3`);

  const all = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  const found = await read(store, bucket, key("big"));
  ok(sameBytes(found.bytes, all));
  deepStrictEqual(found.info.properties, properties);
  deepStrictEqual(found.info.partSizes, [600_000, 600_000, 5]);
  const middle = await read(store, bucket, key("big"), { start: 599_990, end: 1_200_001 });
  ok(sameBytes(middle.bytes, all.subarray(599_990, 1_200_002)));

  const objects = await given.native.open(native);
  strictEqual(await objects.getBlob("big"), null); // neither hangs nor returns empty bytes
  deepStrictEqual(await objects.list(), []);
  await objects.delete("big");
  await rejects(store.readObject(bucket, key("big")), { code: "NoSuchKey" });
});

Deno.test("a native bucket is given our records at the first write, and stays readable", async () => {
  await using given = await storeOnServer({ on });
  const objects = await given.native.create(native);
  await objects.putBlob({ name: "k" }, someBytes(10));
  await given.store.putObject(bucket, key("k"), input(someBytes(20)));
  const subjects = await subjectsOfStream(given.connection, `OBJ_${native}`);
  ok(Object.keys(subjects).some((subject) => subject.startsWith(`$O.${native}.S3.trash.`)));
  strictEqual((await objects.getBlob("k"))?.length, 20);
});

Deno.test("exactly one spelling of a store's name works", async () => {
  await using given = await storeOnServer({ on });
  for (const name of ["inter_op", "Capital_S", "a__b", "mp_temp"]) await given.native.create(name);
  const buckets = await given.store.listBuckets();
  deepStrictEqual(buckets.map(({ name }) => name as string), ["Capital_S", "a__b", "inter.op"]);
  for (const name of ["inter_op", "Capital.S", "a..b", "mp.temp", "mp_temp"]) {
    await rejects(given.store.readBucket(name as BucketName), { code: "NoSuchBucket" });
  }
  await given.store.putObject("a__b" as BucketName, key("k"), input(someBytes(1)));
});

Deno.test("a listing drops what a native rename left without a message, once it was asked for", async () => {
  await using given = await storeOnServer({ on });
  const { store } = given;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, key("old"), input(someBytes(10)));
  const list = async (): Promise<readonly string[]> => {
    const page = await store.listObjects(bucket, {
      prefix: "",
      delimiter: "",
      after: "",
      limit: 9,
    });
    return page.objects.map(({ key }) => key);
  };
  deepStrictEqual(await list(), ["old"]);
  await (await given.native.open(native)).update("old", { name: "new" });
  await rejects(store.readObject(bucket, key("old")), { code: "NoSuchKey" });
  deepStrictEqual(await list(), ["new"]);
});
