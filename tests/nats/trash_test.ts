/** Replaced and orphaned chunks: kept for readers, purged when nobody names them. */

import { headers } from "@nats-io/nats-core";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { createNatsStore } from "../../src/nats/store.ts";
import { records } from "../../src/nats/layout/subjects.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import type { VersionId } from "../../src/s3/version_id.ts";
import type { S3Error } from "../../src/s3/errors.ts";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../../src/s3/names.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  sharedServer,
  someBytes,
  STORE_OPTIONS,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "trash" as BucketName;
const key = "k" as ObjectKey;
const GRACE = 1000;
const stream = "OBJ_trash";
/** Object info as a native client writes it when it deletes. */
const DELETED = { name: key, bucket: "trash", nuid: "x", size: 0, chunks: 0, deleted: true };

/** Subjects below `$O.trash.`, but for the bucket's own records and the mark of who read it. */
async function contents(
  connection: Parameters<typeof subjectsOfStream>[0],
): Promise<readonly string[]> {
  return Object.keys(await subjectsOfStream(connection, stream))
    .map((subject) => subject.slice("$O.trash.".length))
    .filter((subject) => !subject.startsWith("S3.bucket.") && subject !== "S3.sync")
    .sort();
}

Deno.test("the records of a key's versions are read once for all its groups", async () => {
  await using given = await storeOnServer({ on, store: { grace: GRACE } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await store.prepareVersioning(bucket);
  await store.putDocument(bucket, "versioning", "Enabled");
  const ids: (string | undefined)[] = [];
  const count = 8;
  for (let i = 0; i <= count; i++) {
    ids.push((await store.putObject(bucket, key, input(someBytes(300_000, i)))).versionId);
  }
  for (const versionId of ids.slice(0, count)) {
    await store.deleteObject(bucket, key, { precondition: {}, versionId: versionId as VersionId });
  }
  await delay(GRACE + 200);
  let gets = 0;
  const prefix = records.version(bucket as string as StoreName, key, "*").slice(0, -1);
  const watch = connection.subscribe(`$JS.API.STREAM.MSG.GET.${stream}`, {
    callback: (_, message) => void (message.string().includes(prefix) && gets++),
  });
  strictEqual((await store.freeReplaced(bucket)).freed, count);
  await connection.flush();
  watch.unsubscribe();
  strictEqual(gets, count);
});

Deno.test("a replaced group is kept for the grace and purged after it", async () => {
  await using given = await storeOnServer({ on, store: { grace: GRACE } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, key, input(someBytes(300_000, 1)));
  await store.putObject(bucket, key, input(someBytes(300_000, 2)));
  deepStrictEqual(await store.freeReplaced(bucket), { freed: 0, waiting: 1 });
  strictEqual((await contents(connection)).filter((name) => name.startsWith("C.")).length, 2);
  await delay(GRACE + 200);
  deepStrictEqual(await store.freeReplaced(bucket), { freed: 1, waiting: 0 });
  const left = await contents(connection);
  strictEqual(left.length, 2, left.join());
  ok(sameBytes((await read(store, bucket, key)).bytes, someBytes(300_000, 2)));
  await store.deleteObject(bucket, key, { precondition: {} });
  await delay(GRACE + 200);
  strictEqual((await store.freeReplaced(bucket)).freed, 1);
  strictEqual((await contents(connection)).filter((name) => name.startsWith("C.")).length, 0);
});

Deno.test("few chunks go with the write that replaces them, unnoticed by who reads", async () => {
  await using given = await storeOnServer({ on, store: { grace: 60_000 } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const sizes = [10, 20, 250_000];
  await store.putObject(bucket, key, input(someBytes(10)));
  let writing = true;
  const readers = Array.from({ length: 8 }, async () => {
    let reads = 0;
    for (; writing; reads++) {
      const { info, bytes } = await read(store, bucket, key);
      ok(sizes.includes(info.size) && sameBytes(bytes, someBytes(info.size)));
    }
    return reads;
  });
  for (let i = 0; i < 300; i++) {
    await store.putObject(bucket, key, input(someBytes(sizes[i % 3] ?? 0)));
  }
  writing = false;
  ok((await Promise.all(readers)).every((reads) => reads > 10));
  strictEqual((await contents(connection)).length, 2);
  await store.deleteObject(bucket, key, { precondition: {} });
  deepStrictEqual((await contents(connection)).filter((name) => !name.startsWith("M.")), []);
});

Deno.test("a read that takes longer than the grace ends with the bytes it began with", async () => {
  await using given = await storeOnServer({ on, store: { grace: GRACE } });
  const { connection, store } = given;
  // A second gateway replaces, deletes and purges.
  using other = createNatsStore(connection, { ...STORE_OPTIONS, grace: GRACE });
  await store.createBucket(bucket, "alice");
  const bytes = someBytes(12 * 1024 * 1024);
  await store.putObject(bucket, key, input(bytes));

  const { body } = await store.getObject(bucket, key, () => "all");
  ok(body instanceof ReadableStream);
  const reader = body.getReader();
  const received: Uint8Array[] = [];
  const began = performance.now();
  let replaced = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    received.push(value);
    if (performance.now() - began < 4 * GRACE) {
      if (replaced++ === 0) await other.putObject(bucket, key, input(someBytes(10)));
      if (replaced === 3) await other.deleteObject(bucket, key, { precondition: {} });
      await delay(200);
      await other.freeReplaced(bucket);
    }
  }
  ok(sameBytes(await new Blob(received as BlobPart[]).bytes(), bytes));
  await rejects(store.readObject(bucket, key), { code: "NoSuchKey" });

  await delay(3 * GRACE); // the lease goes by itself
  await other.freeReplaced(bucket);
  deepStrictEqual((await contents(connection)).filter((name) => !name.startsWith("M.")), []);
});

for (const how of ["by a gateway", "by a gateway that died before it recorded that"]) {
  Deno.test(`an upload whose trash is due has readers when it is replaced ${how}`, async () => {
    await using given = await storeOnServer({ on, store: { grace: GRACE } });
    const { connection, store } = given;
    await using proxy = new TcpProxy(given.server.port);
    await using purger = await openStore(proxy.url, { grace: GRACE });
    await store.createBucket(bucket, "alice");
    const bytes = someBytes(12 * 1024 * 1024);
    const properties = input(bytes).properties;
    const owner = { owner: "alice", algorithm: undefined, checksumType: undefined };
    const id = await store.createUpload(bucket, key, { properties, ...owner });
    const { etag } = await store.putPart(bucket, key, id, 1 as PartNumber, input(bytes));
    await store.completeUpload(bucket, key, id, {
      parts: [{ number: 1 as PartNumber, etag, checksum: undefined }],
      precondition: {},
      checksum: undefined,
      size: undefined,
    });
    await delay(GRACE + 200);

    // The purger has read the record, and looks at the object a moment after it was replaced.
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    proxy.judge = ({ verb, subject, text }) => {
      if (!verb.endsWith("PUB") || !`${subject} ${text}`.includes("$O.trash.M.")) return "pass";
      arrived.resolve();
      return { hold: release.promise };
    };
    const purging = purger.store.freeReplaced(bucket);
    await arrived.promise;
    const { body } = await store.getObject(bucket, key, () => "all");
    if (how === "by a gateway") await store.putObject(bucket, key, input(someBytes(10)));
    else {
      const rollup = headers();
      rollup.set("Nats-Rollup", "sub"); // as native clients publish object info
      await connection.request(`$O.trash.M.${btoa(key)}`, JSON.stringify(DELETED), {
        timeout: 5000,
        headers: rollup,
      });
    }
    proxy.judge = () => "pass";
    release.resolve();
    deepStrictEqual(await purging, { freed: 0, waiting: 1 });
    ok(sameBytes(await new Response(body as ReadableStream).bytes(), bytes));

    await delay(GRACE + 200);
    let freed = 0;
    for (let attempt = 0; attempt < 50 && freed === 0; attempt++) {
      // On a slow machine the reader has a lease, which expires later.
      if (attempt > 0) await delay(200);
      freed = (await store.freeReplaced(bucket)).freed;
    }
    strictEqual(freed, 1);
    const left = (await contents(connection)).filter((name) => name.startsWith(`C.${id}`));
    deepStrictEqual(left, []);
  });
}

Deno.test("trash that knows the old key of a natively renamed object does not take its bytes", async () => {
  await using given = await storeOnServer({ on, store: { grace: 0 } });
  const { connection, store, native } = given;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, key, input(someBytes(300_000)));
  const subject = `$JS.API.DIRECT.GET.OBJ_trash.$O.trash.M.${btoa(key)}`;
  const { nuid } = (await connection.request(subject)).json<{ nuid: string }>();
  // A gateway writes this if it does not know whether its commit was stored before another one.
  await connection.request(`$O.trash.S3.trash.${nuid}`, JSON.stringify({ key }));
  await (await native.open("trash")).update(key, { name: "new" });
  deepStrictEqual(await store.freeReplaced(bucket), { freed: 0, waiting: 0 });
  ok(sameBytes((await read(store, bucket, "new" as ObjectKey)).bytes, someBytes(300_000)));
  await store.deleteObject(bucket, "new" as ObjectKey, { precondition: {} });
  for (let i = 0; (await store.freeReplaced(bucket)).waiting > 0; i++) {
    ok(i < 40, "the lease of the reader stays");
    await delay(100);
  }
  deepStrictEqual((await contents(connection)).filter((name) => !name.startsWith("M.")), []);
});

Deno.test("object info that names another object's group cannot take its bytes", async () => {
  await using given = await storeOnServer({ on, store: { grace: GRACE } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const bytes = someBytes(300_000);
  await store.putObject(bucket, "victim" as ObjectKey, input(bytes));
  const subject = `$O.trash.M.${btoa("victim")}`;
  const info = await connection.request(`$JS.API.DIRECT.GET.${stream}.${subject}`);
  await connection.request(`$O.trash.M.${btoa("k")}`, info.data);
  await store.deleteObject(bucket, key, { precondition: {} });
  await delay(GRACE + 200);
  await store.freeReplaced(bucket);
  await store.sweep(bucket, { minAge: 0, dryRun: false });
  ok(sameBytes((await read(store, bucket, "victim" as ObjectKey)).bytes, bytes));
});

Deno.test("a multipart upload leaves nothing but what the object names", async () => {
  await using given = await storeOnServer({ on, store: { grace: GRACE } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const upload = { properties: input(someBytes(0)).properties, owner: "alice" } as const;
  const none = { algorithm: undefined, checksumType: undefined };
  const begin = (): ReturnType<typeof store.createUpload> =>
    store.createUpload(bucket, key, { ...upload, ...none });
  const put = async (
    id: Awaited<ReturnType<typeof begin>>,
    number: number,
    bytes: Uint8Array,
  ): Promise<string> => {
    const { content, signal } = input(bytes);
    return (await store.putPart(bucket, key, id, number as PartNumber, { content, signal })).etag;
  };
  const aborted = await begin();
  await put(aborted, 1, someBytes(100_000));
  await store.abortUpload(bucket, key, aborted);

  const id = await begin();
  await put(id, 1, someBytes(100_000, 1));
  const first = await put(id, 1, someBytes(100_000, 2));
  await put(id, 7, someBytes(100_000, 3)); // never named
  const last = await put(id, 9, someBytes(10, 4));
  await store.completeUpload(bucket, key, id, {
    parts: [
      { number: 1 as PartNumber, etag: first, checksum: undefined },
      { number: 9 as PartNumber, etag: last, checksum: undefined },
    ],
    precondition: {},
    checksum: undefined,
    size: undefined,
  });
  await delay(GRACE + 200);
  await store.freeReplaced(bucket);
  const kinds = (await contents(connection)).map((name) => name.split(".").slice(0, 2).join("."));
  const parts = kinds.filter((kind) => kind.startsWith("C."));
  strictEqual(parts.length, 2, kinds.join());
  deepStrictEqual(kinds.filter((kind) => kind.startsWith("S3.")), [
    "S3.layout",
    "S3.upload", // all three expire
    "S3.upload",
    "S3.upload",
  ]);
  strictEqual((await read(store, bucket, key)).bytes.length, 100_010);

  await store.deleteObject(bucket, key, { precondition: {} });
  await delay(GRACE + 200);
  await store.freeReplaced(bucket);
  const left = await contents(connection);
  deepStrictEqual(left.filter((name) => !/^(M|S3\.upload)\./.test(name)), []);
});

Deno.test("the sweep finds what crashes leave and nothing else", async () => {
  await using given = await storeOnServer({ on, store: { grace: GRACE } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const bytes = someBytes(300_000);
  await store.putObject(bucket, key, input(bytes));
  const open = await store.createUpload(bucket, key, {
    properties: input(bytes).properties,
    owner: "alice",
    algorithm: undefined,
    checksumType: undefined,
  });
  const { content, signal } = input(bytes);
  await store.putPart(bucket, key, open, 1 as PartNumber, { content, signal });
  const before = await contents(connection);

  const dead = "deaduploaddeaduploadDEAD";
  const md5 = "A".repeat(22);
  const facts = `abcdef.1.131072.${md5}.${md5}.-.1700000000000.-`;
  for (
    const orphan of [
      "C.deadgroup", // a gateway died before it committed
      `C.${dead}.1.abcdef`, // ... in a part whose upload is over
      `S3.part.${dead}.1.${facts}`,
      "S3.layout.deadgroup",
    ]
  ) await connection.request(`$O.trash.${orphan}`, '{"version":1,"seek":"1"}');
  const nothing = await store.sweep(bucket, { minAge: 60_000, dryRun: false });
  strictEqual(nothing.orphans + nothing.records, 0, "what is young may be in use");
  const dry = await store.sweep(bucket, { minAge: 0, dryRun: true });
  deepStrictEqual(dry, {
    bucket,
    dryRun: true,
    replaced: 0,
    uploads: 0,
    orphans: 2,
    records: 2,
    entries: 4,
  });
  strictEqual((await contents(connection)).length, before.length + 4);
  const wet = await store.sweep(bucket, { minAge: 0, dryRun: false });
  deepStrictEqual(wet, { ...dry, dryRun: false });
  deepStrictEqual(await contents(connection), before);
  ok(sameBytes((await read(store, bucket, key)).bytes, bytes));
});

Deno.test("the sweep aborts uploads that were abandoned, and no other", async () => {
  await using given = await storeOnServer({ on, store: { grace: GRACE } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const begin = (): Promise<UploadId> =>
    store.createUpload(bucket, key, {
      properties: input(someBytes(1)).properties,
      owner: "alice",
      algorithm: undefined,
      checksumType: undefined,
    });
  const addPart = async (id: UploadId, number: number): Promise<void> => {
    const { content, signal } = input(someBytes(300_000));
    await store.putPart(bucket, key, id, number as PartNumber, { content, signal });
  };
  const abandoned = await begin();
  const slow = await begin();
  await addPart(abandoned, 1);
  await addPart(slow, 1);
  await delay(1200);
  await addPart(slow, 2);
  const fresh = await begin();

  const options = { minAge: 60_000, uploadExpiry: 1000 };
  strictEqual((await store.sweep(bucket, { ...options, dryRun: true })).uploads, 1);
  strictEqual((await store.sweep(bucket, { minAge: 60_000, dryRun: false })).uploads, 0);
  strictEqual((await store.sweep(bucket, { ...options, dryRun: false })).uploads, 1);
  await rejects(
    store.readUpload(bucket, key, abandoned),
    (error: S3Error) => error.code === "NoSuchUpload",
  );
  await store.readUpload(bucket, key, slow);
  await store.readUpload(bucket, key, fresh);
  const left = (await contents(connection)).filter((subject) => subject.includes(abandoned));
  deepStrictEqual(left, [`S3.upload.${abandoned}`]); // tells parts that come late
});

Deno.test("the sweep stops at a kind of record that it does not know", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await connection.request("$O.trash.C.orphan", "x");
  await connection.request("$O.trash.S3.future.thing", "x");
  const report = await store.sweep(bucket, { minAge: 0, dryRun: false });
  ok(report.stopped?.includes("S3.future.thing"));
  ok((await contents(connection)).includes("C.orphan"));
});

Deno.test("one gateway sweeps a bucket in an interval", async () => {
  await using given = await storeOnServer({ on });
  using other = createNatsStore(given.connection, STORE_OPTIONS);
  await given.store.createBucket(bucket, "alice");
  strictEqual(await given.store.claimSweep(bucket, 2000), true);
  strictEqual(await other.claimSweep(bucket, 2000), false);
  await delay(3500);
  strictEqual(await other.claimSweep(bucket, 2000), true);
});
