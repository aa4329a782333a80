/** The rewrite for native clients needs room for a second copy: it takes none that clients are promised, and waits. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { BucketName, ObjectKey, PartNumber } from "../../src/s3/names.ts";
import type { FlattenOutcome, Maintenance } from "../../src/store/maintenance.ts";
import type { Store } from "../../src/store/store.ts";
import { compareWithLive } from "./live_bytes.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  someBytes,
  type StoreOnServer,
  storeOnServer,
} from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const bucket = "room" as BucketName;
const key = "in-parts" as ObjectKey;
const MIB = 1024 * 1024;
const never = new AbortController().signal;
const OPTIONS = { grace: 0, nativeLayout: "background", roomPause: 100 } as const;

/** Uploads an object in two parts. */
async function upload(store: Store & Maintenance, bytes: Uint8Array): Promise<void> {
  const { properties, owner } = input(bytes);
  const id = await store.createUpload(bucket, key, {
    properties,
    owner,
    algorithm: undefined,
    checksumType: undefined,
  });
  const middle = bytes.length / 2;
  const parts = [];
  for (const [i, half] of [bytes.subarray(0, middle), bytes.subarray(middle)].entries()) {
    const { content, signal } = input(half);
    const number = i + 1 as PartNumber;
    const { etag } = await store.putPart(bucket, key, id, number, { content, signal });
    parts.push({ number, etag, checksum: undefined });
  }
  const precondition = {};
  await store.completeUpload(bucket, key, id, {
    parts,
    precondition,
    checksum: undefined,
    size: undefined,
  });
  while ((await store.freeReplaced(bucket)).waiting > 0) await delay(100);
}

async function flatten(store: Maintenance): Promise<FlattenOutcome | undefined> {
  return (await store.flattenNext(never))?.outcome;
}

/** Nothing is left that no object names, except leases of the rewrite, which expire. */
async function checkNothingLeft({ connection }: StoreOnServer): Promise<void> {
  const { unnamed, missing } = await compareWithLive(connection, "room");
  const left = unnamed.filter((subject) => !subject.startsWith("S3.lease."));
  deepStrictEqual({ left, missing }, { left: [], missing: [] });
}

Deno.test("an object in parts waits for room within the quota, and is then rewritten", async () => {
  await using given = await storeOnServer({ store: { ...OPTIONS, quota: 9 * MIB } });
  const { store, native } = given;
  await store.createBucket(bucket, "alice");
  const bytes = someBytes(4 * MIB);
  const filler = "filler" as ObjectKey;
  await store.putObject(bucket, filler, input(someBytes(2 * MIB, 2)));
  await upload(store, bytes);
  strictEqual(await flatten(store), "no-room");
  strictEqual(await flatten(store), undefined, "the bucket is left alone for a while");
  await delay(150);
  strictEqual(await flatten(store), undefined, "it is reported once");
  await store.sweep(bucket, { minAge: 0, dryRun: false }); // finds the object again
  strictEqual(await flatten(store), undefined);
  await checkNothingLeft(given);

  await store.deleteObject(bucket, filler, { precondition: {} });
  await store.freeReplaced(bucket);
  await delay(150);
  strictEqual(await flatten(store), "rewritten");
  const blob = await (await native.open("room")).getBlob(key);
  ok(blob !== null && sameBytes(blob, bytes));
  while ((await store.freeReplaced(bucket)).waiting > 0) await delay(100);
  await checkNothingLeft(given);
  strictEqual(await flatten(store), undefined);
});

Deno.test("a rewrite gives way to clients that fill the bucket meanwhile", async () => {
  await using given = await storeOnServer({ store: { grace: 0, quota: 24 * MIB } });
  const { store, native, server } = given;
  await store.createBucket(bucket, "alice");
  await using proxy = new TcpProxy(server.port);
  await using gateway = await openStore(proxy.url, { ...OPTIONS, nativeLayout: "on-complete" });
  // A client fills the bucket as soon as the first chunk of the copy is on its way.
  const isOfCopy = /^\$O\.room\.C\.[^.]+$/;
  proxy.judge = ({ verb, subject }) => {
    if (!verb.endsWith("PUB") || !isOfCopy.test(subject)) return "pass";
    proxy.judge = () => "pass";
    const client = input(someBytes(8 * MIB, 2));
    return { hold: store.putObject(bucket, "client" as ObjectKey, client).then(() => {}) };
  };
  const bytes = someBytes(10 * MIB);
  await upload(gateway.store, bytes);
  ok(sameBytes((await read(store, bucket, key)).bytes, bytes));
  strictEqual(await (await native.open("room")).getBlob(key), null);
  await checkNothingLeft(given);

  await store.deleteObject(bucket, "client" as ObjectKey, { precondition: {} });
  await store.freeReplaced(bucket);
  await delay(150);
  strictEqual(await flatten(gateway.store), "rewritten");
});

const LIMITS = {
  "of its account": {
    config: `accounts { A: {
      jetstream: { max_file: 8MB, max_mem: 8MB }, users: [{ user: a, password: a }]
    } }
    no_auth_user: a`,
  },
  "of its server": { jetstream: "max_file_store: 8MB\n max_memory_store: 8MB" },
};

for (const [limit, server] of Object.entries(LIMITS)) {
  for (const storage of ["file", "memory"] as const) {
    Deno.test(`an object in parts in ${storage} waits for room within the limit ${limit}`, async () => {
      await using given = await storeOnServer({ server, store: { ...OPTIONS, storage } });
      const { store, native } = given;
      await store.createBucket(bucket, "alice");
      await store.createBucket("other" as BucketName, "alice");
      const bytes = someBytes(3 * MIB);
      await upload(store, bytes);
      await store.putObject("other" as BucketName, key, input(someBytes(3 * MIB, 2)));
      strictEqual(await flatten(store), "no-room");
      strictEqual(await flatten(store), undefined);
      await checkNothingLeft(given);
      // Clients still have room.
      const client = "client" as ObjectKey;
      await store.putObject(bucket, client, input(someBytes(MIB / 2, 3)));
      await store.deleteObject(bucket, client, { precondition: {} });

      await store.deleteObject("other" as BucketName, key, { precondition: {} });
      await store.freeReplaced("other" as BucketName);
      await store.freeReplaced(bucket);
      await delay(150);
      strictEqual(await flatten(store), "rewritten");
      const blob = await (await native.open("room")).getBlob(key);
      ok(blob !== null && sameBytes(blob, bytes));
    });
  }
}
