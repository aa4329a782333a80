/** Renames on a server: chunks stay where they are, and nothing that knows the old key frees them. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { BucketName, ObjectKey, PartNumber } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import { compareWithLive } from "./live_bytes.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  sharedServer,
  someBytes,
  type StoreOnServer,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "rename" as BucketName;
const [a, b, c] = ["a", "b", "c"] as unknown as [ObjectKey, ObjectKey, ObjectKey];
const GRACE = 1000;
const never = new AbortController().signal;
const BYTES = someBytes(300_000, 1);

async function onServer(grace = GRACE): Promise<StoreOnServer> {
  const given = await storeOnServer({ on, store: { grace, nativeLayout: "background" } });
  await given.store.createBucket(bucket, "alice");
  return given;
}

function rename(store: Store, source: ObjectKey, key: ObjectKey): Promise<unknown> {
  return store.renameObject(bucket, source, key, { precondition: { source: {}, destination: {} } });
}

/** Uploads an object in two parts, and one attempt more that it does not use. */
async function upload(store: Store, key: ObjectKey): Promise<void> {
  const { properties } = input(BYTES);
  const id = await store.createUpload(bucket, key, {
    properties,
    owner: "alice",
    algorithm: undefined,
    checksumType: undefined,
  });
  const parts = [];
  for (const [i, piece] of [BYTES, BYTES.subarray(0, 200_000), BYTES.subarray(200_000)].entries()) {
    const number = Math.max(i, 1) as PartNumber;
    const { etag } = await store.putPart(bucket, key, id, number, input(piece));
    if (i > 0) parts.push({ number, etag, checksum: undefined });
  }
  const completion = { parts, checksum: undefined, size: undefined, precondition: {} };
  await store.completeUpload(bucket, key, id, completion);
}

async function shows(store: Store, key: ObjectKey, bytes = BYTES): Promise<void> {
  ok(sameBytes((await read(store, bucket, key)).bytes, bytes), `"${key}" has other bytes`);
}

/** Waits for the grace, empties the trash and sweeps: only what objects name is left. */
async function checkOnlyLive({ store, connection }: StoreOnServer): Promise<void> {
  await delay(GRACE + 200);
  for (let i = 0; (await store.freeReplaced(bucket)).waiting > 0; i++) {
    ok(i < 60, "the trash is not emptied");
    await delay(100);
  }
  const { orphans, records } = await store.sweep(bucket, { minAge: 0, dryRun: true });
  deepStrictEqual({ orphans, records }, { orphans: 0, records: 0 });
  deepStrictEqual(await compareWithLive(connection, bucket), { unnamed: [], missing: [] });
}

async function chunks({ connection }: StoreOnServer): Promise<readonly string[]> {
  return Object.keys(await subjectsOfStream(connection, "OBJ_rename"))
    .filter((subject) => subject.startsWith("$O.rename.C."));
}

Deno.test("a renamed object keeps its chunks, and native clients and other gateways see it at once", async () => {
  await using given = await onServer();
  const { store, native } = given;
  await using other = await openStore(given.server.url);
  const query = { prefix: "", delimiter: "", after: "", limit: 10 };
  for (const bytes of [someBytes(0), someBytes(10), BYTES]) {
    await store.putObject(bucket, a, input(bytes));
    await other.store.listObjects(bucket, query);
    const before = await chunks(given);
    await rename(store, a, b);
    deepStrictEqual(await chunks(given), before);
    for (const gateway of [store, other.store]) {
      const { objects } = await gateway.listObjects(bucket, query);
      deepStrictEqual(objects.map(({ key }) => key), [b]);
    }
    const objects = await native.open("rename");
    const blob = await objects.getBlob("b"); // throws when the digest is wrong
    ok(blob !== null && sameBytes(blob, bytes));
    deepStrictEqual([await objects.getBlob("a"), (await objects.info("b"))?.name], [null, "b"]);
    await store.deleteObject(bucket, b, { precondition: {} });
    await checkOnlyLive(given);
    deepStrictEqual(await chunks(given), []);
  }
});

Deno.test("a native object keeps its time, its ETag and fields that the gateway does not know", async () => {
  await using given = await onServer();
  const { store, native } = given;
  const objects = await native.open("rename");
  await objects.putBlob({ name: "a", description: "mine" }, someBytes(10));
  const { key: _, ...before } = await store.readObject(bucket, a);
  await delay(20);
  await rename(store, a, b);
  const { key: __, ...after } = await store.readObject(bucket, b);
  deepStrictEqual(after, before);
  strictEqual((await objects.info("b"))?.description, "mine");
});

Deno.test("a rename within the grace of a Complete keeps the parts when the grace is over", async () => {
  for (const chain of [[b], [b, c], [b, a], [b, c, a, b]]) {
    await using given = await onServer();
    const { store } = given;
    await upload(store, a);
    let source = a;
    for (const key of chain) {
      await rename(store, source, key);
      source = key;
    }
    await checkOnlyLive(given);
    await shows(store, source);
    // Once it is replaced, nothing stays.
    await store.putObject(bucket, source, input(someBytes(10)));
    await checkOnlyLive(given);
    strictEqual((await chunks(given)).length, 1);
  }
});

for (const isUploaded of [true, false]) {
  const what = isUploaded ? "a completed upload" : "an object";
  Deno.test(`the trash that read its record of ${what} before a rename looks at the old key after it`, async () => {
    await using given = await onServer(0);
    const { store, connection } = given;
    await using proxy = new TcpProxy(given.server.port);
    await using purger = await openStore(proxy.url, { grace: 0 });
    if (isUploaded) await upload(store, a);
    else {
      await store.putObject(bucket, a, input(BYTES));
      const [subject = ""] = await chunks(given);
      const nuid = subject.slice("$O.rename.C.".length);
      await connection.request(`$O.rename.S3.trash.${nuid}`, JSON.stringify({ key: a }));
    }
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    proxy.judge = ({ verb, subject, text }) => {
      if (!verb.endsWith("PUB") || !`${subject} ${text}`.includes("$O.rename.M.")) return "pass";
      arrived.resolve();
      return { hold: release.promise };
    };
    const purging = purger.store.freeReplaced(bucket);
    await arrived.promise;
    await rename(store, a, b);
    proxy.judge = () => "pass";
    release.resolve();
    await purging;
    await checkOnlyLive(given);
    await shows(store, b);
  });
}

Deno.test("a read of the source that outlasts the grace ends, also if the new key is deleted", async () => {
  await using given = await onServer();
  const { store } = given;
  await using other = await openStore(given.server.url, { grace: GRACE });
  const bytes = someBytes(12 * 1024 * 1024);
  await store.putObject(bucket, a, input(bytes));
  const { body } = await store.getObject(bucket, a, () => "all");
  ok(body instanceof ReadableStream);
  await rename(other.store, a, b);
  await other.store.deleteObject(bucket, b, { precondition: {} });
  await delay(2 * GRACE + 200);
  await other.store.freeReplaced(bucket);
  ok(sameBytes(await new Response(body).bytes(), bytes));
  await checkOnlyLive(given);
});

Deno.test("a rename during the flattening of its source wins, and the new key is flattened", async () => {
  await using given = await onServer();
  const { store, native } = given;
  await using proxy = new TcpProxy(given.server.port);
  await using flattener = await openStore(proxy.url, { grace: GRACE, nativeLayout: "background" });
  await upload(flattener.store, a);
  const arrived = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  proxy.judge = ({ direction, subject }) => {
    if (direction !== "to server" || !subject.startsWith("$O.rename.M.")) return "pass";
    arrived.resolve();
    return { hold: release.promise };
  };
  const flattening = flattener.store.flattenNext(never);
  await arrived.promise;
  await rename(store, a, b);
  release.resolve();
  proxy.judge = () => "pass";
  deepStrictEqual((await flattening)?.outcome, "needless");
  deepStrictEqual(await store.flattenNext(never), { bucket, key: b, outcome: "rewritten" });
  const blob = await (await native.open("rename")).getBlob("b");
  ok(blob !== null && sameBytes(blob, BYTES));
  await rejects(read(store, bucket, a), { code: "NoSuchKey" });
  await checkOnlyLive(given);
  await shows(store, b);
});

for (const what of ["as it was", "without the metadata of S3"]) {
  Deno.test(`object info that a native client brings back under the old key, ${what}, does not take the bytes`, async () => {
    for (const bytes of [someBytes(10), BYTES]) {
      await using given = await onServer(0);
      const { store, connection, server } = given;
      await using other = await openStore(server.url, { grace: 0 });
      const subject = `$O.rename.M.${btoa(a)}`;
      for (const free of ["delete", "put"] as const) {
        await store.putObject(bucket, a, input(bytes));
        const info = (await connection.request(`$JS.API.DIRECT.GET.OBJ_rename.${subject}`))
          .json<Record<string, unknown>>();
        await rename(store, a, b);
        // A native update replaces all metadata.
        const changes = what === "as it was" ? {} : { metadata: { mine: "x" } };
        await connection.request(subject, JSON.stringify({ ...info, ...changes }));
        if (free === "delete") await other.store.deleteObject(bucket, a, { precondition: {} });
        else await store.putObject(bucket, a, input(someBytes(20)));
        await store.freeReplaced(bucket);
        await shows(store, b, bytes);
      }
    }
  });
}
