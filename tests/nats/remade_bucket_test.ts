/** Buckets that are deleted, made again or written by a newer gateway while this gateway still knows the old one. */

import type { NatsConnection } from "@nats-io/nats-core";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import { call } from "../contract/nats_store.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  sharedServer,
  someBytes,
  storeOnServer,
} from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "remade" as BucketName;
const stream = "OBJ_remade";
const key = "k" as ObjectKey;
const list = { prefix: "", delimiter: "", after: "", limit: 10 };
const PATIENCE = 20_000;

for (const size of [10, 300_000]) {
  Deno.test(`a PUT of ${size} bytes between two buckets of one name is refused`, async () => {
    await using given = await storeOnServer({ on });
    const { store, connection } = given;
    await using proxy = new TcpProxy(given.server.port);
    await using gateway = await openStore(proxy.url);
    await store.createBucket(bucket, "alice");
    await gateway.store.readBucket(bucket);

    // Its chunks go to the old stream, its object info to the new one, all within a moment.
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    proxy.judge = ({ verb, subject }) => {
      if (verb !== "HPUB" || !subject.startsWith("$O.remade.M.")) return "pass";
      arrived.resolve();
      return { hold: release.promise };
    };
    const put = gateway.store.putObject(bucket, key, input(someBytes(size)));
    const refused = rejects(put, { code: "ServiceUnavailable" });
    await arrived.promise;
    await call(connection, `STREAM.DELETE.${stream}`);
    await store.createBucket(bucket, "bob");
    for (let n = 0; n < 20; n++) await connection.request("$O.remade.S3.sync", "");
    proxy.judge = () => "pass";
    release.resolve();
    await refused;
    await rejects(store.readObject(bucket, key), { code: "NoSuchKey" });
    deepStrictEqual((await store.listObjects(bucket, list)).objects, []);

    await gateway.store.putObject(bucket, key, input(someBytes(size)));
    ok(sameBytes((await read(store, bucket, key)).bytes, someBytes(size)));
  });
}

for (const size of [10, 300_000]) {
  Deno.test(`a PUT of ${size} bytes between two buckets leaves no object if its gateway ends`, async () => {
    await using given = await storeOnServer({ on });
    const { store, connection } = given;
    await using proxy = new TcpProxy(given.server.port);
    await using gateway = await openStore(proxy.url);
    await store.createBucket(bucket, "alice");
    await store.readObject(bucket, key).catch(() => {}); // it knows the old bucket, too
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    proxy.judge = ({ verb, subject }) => {
      if (verb !== "HPUB" || !subject.startsWith("$O.remade.M.")) return "pass";
      arrived.resolve();
      return { hold: release.promise };
    };
    const put = gateway.store.putObject(bucket, key, input(someBytes(size)));
    const failed = rejects(put);
    await arrived.promise;
    await call(connection, `STREAM.DELETE.${stream}`);
    await openBucket(given.server.url);
    proxy.judge = ({ verb }) => verb === "HPUB" ? "pass and cut" : "drop";
    release.resolve();
    await holdsInfo(connection);

    await rejects(store.readObject(bucket, key), { code: "NoSuchKey" });
    await rejects(store.getObject(bucket, key, () => "all"), { code: "NoSuchKey" });
    deepStrictEqual((await store.listObjects(bucket, list)).objects, []);
    const { records } = await store.sweep(bucket, { minAge: 0, dryRun: false });
    strictEqual(records > 0, true);
    strictEqual((await store.sweep(bucket, { minAge: 0, dryRun: false })).records, 0);
    await store.deleteBucket(bucket);
    await failed;
  });
}

/** Creates the bucket anew through a gateway that has never seen it. */
async function openBucket(url: string): Promise<void> {
  await using other = await openStore(url);
  await other.store.createBucket(bucket, "bob");
}

/** Waits until the stream holds object info. */
async function holdsInfo(connection: NatsConnection): Promise<void> {
  const query = { seq: 1, next_by_subj: "$O.remade.M.>" };
  while (!await call(connection, `STREAM.MSG.GET.${stream}`, query).then(() => true, () => false)) {
    await delay(10);
  }
}

for (const size of [10, 300_000]) {
  Deno.test(`a PUT of ${size} bytes to a deleted bucket leaves the object of a new one`, async () => {
    await using given = await storeOnServer({ on });
    const { store, connection } = given;
    await using proxy = new TcpProxy(given.server.port);
    await using gateway = await openStore(proxy.url);
    await store.createBucket(bucket, "alice");
    await gateway.store.readBucket(bucket);
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    proxy.judge = ({ verb, subject }) => {
      if (verb !== "HPUB" || !subject.startsWith("$O.remade.M.")) return "pass";
      arrived.resolve();
      return { hold: release.promise };
    };
    const put = gateway.store.putObject(bucket, key, input(someBytes(size)));
    const refused = rejects(put, { code: "ServiceUnavailable" });
    await arrived.promise;
    await call(connection, `STREAM.DELETE.${stream}`);
    await store.createBucket(bucket, "bob");
    await store.putObject(bucket, key, input(someBytes(20, 2)));
    proxy.judge = () => "pass";
    release.resolve();
    await refused;
    ok(sameBytes((await read(store, bucket, key)).bytes, someBytes(20, 2)));
  });
}

Deno.test("a PUT into a bucket of a gateway does not look at the bucket again", async () => {
  await using given = await storeOnServer({ on });
  const calls: string[] = [];
  const observe = {
    call: ({ method }: { readonly method: string }) => {
      calls.push(method);
      return (): void => {};
    },
  };
  await using gateway = await openStore(given.server.url, { observe });
  await gateway.store.createBucket(bucket, "alice");
  await gateway.store.readBucket(bucket);
  calls.length = 0;
  await gateway.store.putObject(bucket, key, input(someBytes(300_000)));
  deepStrictEqual(calls.filter((method) => method.startsWith("STREAM.")), []);
});

/** Every operation on a bucket that exists, as far as this gateway knows. */
const operations: Readonly<Record<string, (store: Store, id: UploadId) => Promise<unknown>>> = {
  readBucket: (store) => store.readBucket(bucket),
  deleteBucket: (store) => store.deleteBucket(bucket),
  readObject: (store) => store.readObject(bucket, key),
  getObject: (store) => store.getObject(bucket, key, () => "all"),
  putObject: (store) => store.putObject(bucket, key, input(someBytes(300_000))),
  deleteObject: (store) => store.deleteObject(bucket, key, { precondition: {} }),
  listObjects: (store) => store.listObjects(bucket, list),
  createUpload: (store) => createUpload(store),
  putPart: (store, id) => store.putPart(bucket, key, id, 1 as PartNumber, input(someBytes(9))),
  readUpload: (store, id) => store.readUpload(bucket, key, id),
  listParts: (store, id) => store.listParts(bucket, key, id, { after: 0, limit: 9 }),
  listUploads: (store) =>
    store.listUploads(bucket, {
      prefix: "",
      delimiter: "",
      keyMarker: "",
      uploadIdMarker: "",
      limit: 9,
    }),
  completeUpload: (store, id) =>
    store.completeUpload(bucket, key, id, {
      parts: [],
      precondition: {},
      checksum: undefined,
      size: undefined,
    }),
  abortUpload: (store, id) => store.abortUpload(bucket, key, id),
};

async function createUpload(store: Store): Promise<UploadId> {
  return await store.createUpload(bucket, key, {
    properties: input(someBytes(1)).properties,
    owner: "alice",
    algorithm: undefined,
    checksumType: undefined,
  });
}

Deno.test("every operation notices that another gateway deleted the bucket", async (t) => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await using gateway = await openStore(given.server.url);
  for (const [name, run] of Object.entries(operations)) {
    await t.step(name, async () => {
      await store.createBucket(bucket, "alice");
      await gateway.store.putObject(bucket, key, input(someBytes(300_000)));
      const id = await createUpload(gateway.store);
      await call(connection, `STREAM.DELETE.${stream}`);
      await rejects(run(gateway.store, id), { code: "NoSuchBucket" });
    });
  }
});

Deno.test("a part whose bucket goes while it arrives is told so", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const id = await createUpload(store);
  const bytes = someBytes(300_000);
  const part = input(bytes);
  const query = { seq: 1, next_by_subj: "$O.remade.C.>" };
  const holdsChunk = (): Promise<boolean> =>
    call(connection, `STREAM.MSG.GET.${stream}`, query).then(() => true, () => false);
  const body = ReadableStream.from(async function* () {
    yield bytes.subarray(0, 200_000);
    // A chunk that arrives while the stream is deleted would get no response.
    while (!await holdsChunk()) await delay(10);
    await call(connection, `STREAM.DELETE.${stream}`);
    yield bytes.subarray(200_000);
  }());
  const content = { ...part.content, stream: body };
  await rejects(
    store.putPart(bucket, key, id, 1 as PartNumber, { ...part, content }),
    { code: "NoSuchBucket" },
  );
});

Deno.test("a newer layout is noticed by a gateway that has served the bucket before", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const write = (): Promise<unknown> => store.putObject(bucket, key, input(someBytes(10)));
  await write();
  await connection.request("$O.remade.S3.bucket.layout", '{"version":9}');
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const error = await write().then(() => undefined, (cause) => cause);
    if (error?.code === "InternalError") break;
    strictEqual(error, undefined);
    ok(Date.now() < deadline, "the version is never noticed");
    await delay(100);
  }
  const refused = { code: "InternalError", message: /layout version/ };
  for (const name of ["readObject", "getObject", "putObject", "deleteObject", "listObjects"]) {
    await rejects(operations[name]?.(store, "" as UploadId) ?? write(), refused);
  }
  for (const unreadable of ["null", "{"]) {
    await connection.request("$O.remade.S3.bucket.layout", unreadable);
    await rejects(write(), refused);
  }
  await connection.request("$O.remade.S3.bucket.layout", '{"version":1}');
  await write();
});
