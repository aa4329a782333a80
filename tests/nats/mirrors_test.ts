/**
 * Mirrors of a bucket's stream. In the same JetStream they respond to the stream's direct gets, with old messages or none,
 * and nothing that is deleted, purged or denied may rest on that.
 */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import { call } from "../contract/nats_store.ts";
import { startHubAndLeaf } from "./hub_and_leaf.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  someBytes,
  STORE_OPTIONS,
  type StoreOnServer,
  storeOnServer,
} from "./store_on_server.ts";

const bucket = "origin" as BucketName;
const key = "k" as ObjectKey;
const stream = "OBJ_origin";
/** So often that a mirror responds at least once. */
const ROUNDS = 20;
const PATIENCE = 20_000;

/** Creates a mirror, and waits until it responds to direct gets of the stream. */
async function mirror(connection: NatsConnection, filter?: string): Promise<void> {
  await call(connection, "STREAM.CREATE.mirror", {
    name: "mirror",
    storage: "memory",
    mirror: { name: stream, ...(filter && { filter_subject: filter }) },
  });
  // Only the mirror keeps a message that the stream deletes.
  const { seq } = await call<{ seq: number }>(connection, `STREAM.INFO.${stream}`)
    .then(async () => (await connection.request("$O.origin.S3.sync", "")).json<{ seq: number }>());
  await connection.request("$O.origin.C.warm", "");
  await connection.request("$O.origin.M.warm", "{}");
  const query = JSON.stringify({ seq: seq + (filter?.includes(".C.") ? 1 : 0) });
  await until(async () => {
    const replies = await Promise.all(
      Array.from(
        { length: 8 },
        () => connection.request(`$JS.API.DIRECT.GET.${stream}`, query),
      ),
    );
    return replies.some(({ headers }) => headers?.get("Nats-Stream") === "mirror");
  });
  await call(connection, `STREAM.PURGE.${stream}`, { filter: "$O.origin.C.warm" });
  await call(connection, `STREAM.PURGE.${stream}`, { filter: "$O.origin.M.warm" });
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!await isDone()) ok(Date.now() < deadline, "it never happens");
}

async function upload(store: Store, bytes: Uint8Array): Promise<UploadId> {
  const id = await store.createUpload(bucket, key, {
    properties: input(bytes).properties,
    owner: "alice",
    algorithm: undefined,
    checksumType: undefined,
  });
  await store.putPart(bucket, key, id, 1 as PartNumber, input(bytes));
  return id;
}

async function complete(store: Store, id: UploadId): Promise<void> {
  const { items } = await store.listParts(bucket, key, id, { after: 0, limit: 10 });
  await store.completeUpload(bucket, key, id, {
    parts: items.map(({ number, etag }) => ({ number, etag, checksum: undefined })),
    precondition: {},
    checksum: undefined,
    size: undefined,
  });
}

for (const filter of [undefined, "$O.origin.S3.>", "$O.origin.C.>"]) {
  const with_ = `with a mirror ${filter === undefined ? "of everything" : `of ${filter}`}`;

  Deno.test(`${with_}, every write is seen and every delete deletes`, async () => {
    await using given = await mirrored(filter);
    const { store } = given;
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = someBytes(100 + round, round);
      await store.putObject(bucket, key, input(bytes));
      strictEqual((await store.readObject(bucket, key)).size, bytes.length);
      ok(sameBytes((await read(store, bucket, key)).bytes, bytes));
      await rejects(
        store.putObject(bucket, key, input(bytes, { precondition: { ifNoneMatch: "*" } })),
        { code: "PreconditionFailed" },
      );
      const { etag } = await store.readObject(bucket, key);
      await store.putObject(bucket, key, input(bytes, { precondition: { ifMatch: etag } }));
      await store.deleteObject(bucket, key, { precondition: {} });
      await rejects(store.readObject(bucket, key), { code: "NoSuchKey" });
    }
  });

  Deno.test(`${with_}, neither trash nor sweep purges live bytes`, async () => {
    await using given = await mirrored(filter);
    const { store, native } = given;
    using sweeper = createNatsStore(given.connection, { ...STORE_OPTIONS, grace: 0 });
    const bytes = someBytes(400_000);
    const open = await upload(store, bytes);
    const objects = await native.open("origin");
    await objects.putBlob({ name: "native" }, bytes);
    for (let round = 0; round < ROUNDS; round++) {
      await complete(store, await upload(store, bytes));
      await sweeper.freeReplaced(bucket);
      await sweeper.sweep(bucket, { minAge: 0, dryRun: false });
      ok(sameBytes((await read(store, bucket, key)).bytes, bytes));
      const part = { start: 130_000, end: 270_000 };
      const native = await read(store, bucket, "native" as ObjectKey, part);
      ok(sameBytes(native.bytes, bytes.subarray(part.start, part.end + 1)));
      const uploads = await store.listUploads(bucket, {
        prefix: "",
        delimiter: "",
        keyMarker: "",
        uploadIdMarker: "",
        limit: 10,
      });
      deepStrictEqual(uploads.uploads.map(({ id }) => id), [open]);
    }
    await complete(store, open);
    ok(sameBytes((await read(store, bucket, key)).bytes, bytes));
  });
}

async function mirrored(filter: string | undefined): Promise<StoreOnServer> {
  const given = await storeOnServer();
  await given.store.createBucket(bucket, "alice");
  await mirror(given.connection, filter);
  return given;
}

Deno.test("a HEAD of an object takes one request, and a PUT of a new key reads nothing more", async () => {
  await using given = await storeOnServer();
  const calls: string[] = [];
  const call = ({ method }: { readonly method: string }): () => void => {
    calls.push(method);
    return () => {};
  };
  await using gateway = await openStore(given.server.url, { observe: { call } });
  const { store } = gateway;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, "warm" as ObjectKey, input(someBytes(10)));
  calls.length = 0;
  await store.putObject(bucket, key, input(someBytes(10)));
  deepStrictEqual(calls.sort(), ["direct_get", "publish", "publish"]);
  calls.length = 0;
  await store.readObject(bucket, key);
  deepStrictEqual(calls, ["direct_get"]);
});

Deno.test("a mirror of another bucket is no bucket, and nothing deletes it", async () => {
  await using given = await storeOnServer();
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, key, input(someBytes(10)));
  await call(connection, "STREAM.CREATE.OBJ_backup", {
    name: "OBJ_backup",
    storage: "file",
    mirror: { name: stream },
  });
  const backup = "backup" as BucketName;
  await rejects(store.deleteBucket(backup), { code: "NoSuchBucket" });
  await rejects(store.readBucket(backup), { code: "NoSuchBucket" });
  await rejects(store.listObjects(backup, list), { code: "NoSuchBucket" });
  await rejects(store.putObject(backup, key, input(someBytes(1))), { code: "NoSuchBucket" });
  await rejects(store.createBucket(backup, "native"), { code: "BucketAlreadyExists" });
  await call(connection, "STREAM.INFO.OBJ_backup");
});

const list = { prefix: "", delimiter: "", after: "", limit: 10 };

Deno.test("a stream that holds more than a bucket, or may, is not deleted", async () => {
  await using given = await storeOnServer();
  const { store, connection, native } = given;
  type Info = { readonly config: { readonly subjects: readonly string[] } };
  await call(connection, "STREAM.CREATE.other", { name: "other", subjects: ["other"] });
  const changes = {
    "with-sources": { sources: [{ name: "other" }] },
    "with-subjects": { subjects: ["$O.with-subjects.>", "orders"] },
  };
  for (const [name, change] of Object.entries(changes)) {
    await store.createBucket(name as BucketName, "alice");
    const { config } = await call<Info>(connection, `STREAM.INFO.OBJ_${name}`);
    const subjects = "subjects" in change ? [...config.subjects, "orders"] : config.subjects;
    await call(connection, `STREAM.UPDATE.OBJ_${name}`, { ...config, ...change, subjects });
    await rejects(store.deleteBucket(name as BucketName), { code: "AccessDenied" });
    await call(connection, `STREAM.INFO.OBJ_${name}`);
  }

  // Sealed streams: one that never held an object, and one whose object is deleted.
  for (const name of ["sealed", "sealed-full"]) {
    const objects = await native.create(name);
    if (name === "sealed-full") {
      await objects.putBlob({ name: "k" }, someBytes(10));
      await objects.delete("k");
    }
    await objects.seal();
  }
  await store.deleteBucket("sealed" as BucketName);
  await rejects(store.deleteBucket("sealed-full" as BucketName), { code: "BucketNotEmpty" });
  await call(connection, "STREAM.INFO.OBJ_sealed-full");

  // JetStream refuses to prepare this one for a fence, because its records would be another stream's.
  await native.create("refused");
  await call(connection, "STREAM.CREATE.taken", { name: "taken", subjects: ["$O.refused.S3.>"] });
  await rejects(store.deleteBucket("refused" as BucketName), { code: "AccessDenied" });
  await call(connection, "STREAM.INFO.OBJ_refused");
});

Deno.test("a mirror in another domain is a bucket that is only read", async () => {
  await using servers = await startHubAndLeaf();
  await using origin = await openStore(servers.hub.url);
  await using copy = await openStore(servers.leaf.url, { grace: 0 });
  await using given = await openStore(servers.leaf.url, { apiPrefix: "$JS.hub.API" });
  const bytes = someBytes(400_000);
  await origin.store.createBucket(bucket, "alice");
  await origin.store.putObject(bucket, key, input(bytes));
  const external = { api: "$JS.hub.API", deliver: "" };
  const connection = copy.connection;
  await until(() =>
    call(connection, `STREAM.CREATE.${stream}`, {
      name: stream,
      storage: "file",
      allow_direct: true,
      mirror: { name: stream, external },
    }).then(() => true, () => false)
  );
  await until(() => read(copy.store, bucket, key).then(() => true, () => false));
  ok(sameBytes((await read(copy.store, bucket, key)).bytes, bytes));
  deepStrictEqual(
    (await copy.store.listObjects(bucket, list)).objects.map((object) => object.key),
    [key],
  );
  const readOnly = { code: "AccessDenied" };
  await rejects(copy.store.putObject(bucket, key, input(someBytes(1))), readOnly);
  await rejects(copy.store.deleteObject(bucket, key, { precondition: {} }), readOnly);
  await rejects(upload(copy.store, someBytes(1)), readOnly);
  await rejects(copy.store.deleteBucket(bucket), readOnly);

  // What the origin deletes stays in the mirror, and no sweep takes it.
  await given.store.deleteObject(bucket, key, { precondition: {} });
  const sweep = await copy.store.sweep(bucket, { minAge: 0, dryRun: false });
  deepStrictEqual([sweep.orphans, sweep.records], [0, 0]);
  await call(connection, `STREAM.INFO.${stream}`);
  await origin.store.deleteBucket(bucket);
  await call(connection, `STREAM.INFO.${stream}`);
});
