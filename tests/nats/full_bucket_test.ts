/** A bucket, or an account, without room: PUTs are refused cleanly, deletes and listings go on. */

import type { NatsConnection } from "@nats-io/nats-core";
import type { Objm } from "@nats-io/obj";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { setTimeout as delay } from "node:timers/promises";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import { compareWithLive } from "./live_bytes.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  someBytes,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const bucket = "full" as BucketName;
const MIB = 1024 * 1024;
const key = (n: number): ObjectKey => `k${n}` as ObjectKey;

async function keys(store: Store): Promise<readonly string[]> {
  const page = await store.listObjects(bucket, {
    prefix: "",
    delimiter: "",
    after: "",
    limit: 1000,
  });
  return page.objects.map(({ key }) => key);
}

type Info = {
  readonly config: { readonly subjects: readonly string[]; readonly max_bytes: number };
  readonly state: { readonly bytes: number };
  readonly ts: string;
};

/** Calls the API of JetStream for the bucket's stream. */
async function call<T>(connection: NatsConnection, method: string, body?: unknown): Promise<T> {
  const reply = await connection.request(
    `$JS.API.STREAM.${method}.OBJ_full`,
    body === undefined ? undefined : JSON.stringify(body),
  );
  const response = reply.json<object>();
  ok(!("error" in response), JSON.stringify(response));
  return response as T;
}

/** Limits the stream to a number of bytes. */
async function limitTo(connection: NatsConnection, max_bytes: number): Promise<void> {
  const { config } = await call<Info>(connection, "INFO");
  await call(connection, "UPDATE", { ...config, max_bytes });
}

/** Limits the stream to what it holds, as if native writers had filled it: it refuses every publish. */
async function fillToTheBrim(connection: NatsConnection): Promise<void> {
  const { state } = await call<Info>(connection, "INFO");
  await limitTo(connection, state.bytes);
}

/** The subjects of the stream, without the store's name. */
async function subjects(connection: NatsConnection, kind: string): Promise<readonly string[]> {
  return Object.keys(await subjectsOfStream(connection, "OBJ_full"))
    .map((subject) => subject.slice("$O.full.".length))
    .filter((subject) => subject.startsWith(kind));
}

/** Nothing but live bytes is left. */
async function checkOnlyLive(connection: NatsConnection): Promise<void> {
  deepStrictEqual(await compareWithLive(connection, "full"), { unnamed: [], missing: [] });
}

/** Begins an upload and stores two parts. */
async function beginUpload(store: Store): Promise<UploadId> {
  const { properties, owner } = input(someBytes(0));
  const id = await store.createUpload(bucket, key(0), {
    properties,
    owner,
    algorithm: undefined,
    checksumType: undefined,
  });
  for (const number of [1, 2]) {
    const { content, signal } = input(someBytes(MIB / 2, number));
    await store.putPart(bucket, key(0), id, number as PartNumber, { content, signal });
  }
  return id;
}

async function complete(store: Store, id: UploadId): Promise<unknown> {
  const { items } = await store.listParts(bucket, key(0), id, { after: 0, limit: 10 });
  return await store.completeUpload(bucket, key(0), id, {
    parts: items.map(({ number, etag }) => ({ number, etag, checksum: undefined })),
    precondition: {},
    checksum: undefined,
    size: undefined,
  });
}

/** Puts objects of 1 MiB until one is refused; returns how many fit. */
async function fill(store: Store): Promise<number> {
  for (let n = 0; n < 100; n++) {
    try {
      await store.putObject(bucket, key(n), input(someBytes(MIB)));
    } catch (cause) {
      strictEqual((cause as { code?: string }).code, "QuotaExceeded");
      return n;
    }
  }
  throw new Error("It never was full");
}

Deno.test("PUTs stop at the quota; deletes, trash and listings go on in the reserve", async () => {
  await using given = await storeOnServer({ store: { quota: 8 * MIB, grace: 1000 } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const fitted = await fill(store);
  ok(fitted === 7 || fitted === 8, `${fitted} fitted`);
  const chunks = Object.keys(await subjectsOfStream(connection, "OBJ_full"))
    .filter((subject) => subject.startsWith("$O.full.C."));
  strictEqual(chunks.length, fitted, "nothing of the refused PUT is left");
  strictEqual((await keys(store)).length, fitted);
  await store.deleteObject(bucket, key(0), { precondition: {} });
  await rejects(store.readObject(bucket, key(0)), { code: "NoSuchKey" });
  strictEqual((await keys(store)).length, fitted - 1);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  strictEqual((await store.freeReplaced(bucket)).freed, 1);
  await store.putObject(bucket, key(0), input(someBytes(MIB))); // there is room again
});

Deno.test("a bucket that is full to the last byte is listed and emptied", async () => {
  await using given = await storeOnServer();
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  for (let n = 0; n < 3; n++) await store.putObject(bucket, key(n), input(someBytes(MIB, n)));
  await fillToTheBrim(connection);

  await rejects(store.putObject(bucket, key(9), input(someBytes(10))), { code: "QuotaExceeded" });
  deepStrictEqual(await keys(store), ["k0", "k1", "k2"]);
  for (let n = 0; n < 3; n++) await store.deleteObject(bucket, key(n), { precondition: {} });
  deepStrictEqual(await keys(store), []);
  await rejects(store.readObject(bucket, key(1)), { code: "NoSuchKey" });
  await store.deleteBucket(bucket);
});

Deno.test("an account without storage refuses PUTs and goes on deleting", async () => {
  await using given = await storeOnServer({ server: { jetstream: "max_file_store: 8MB" } });
  const { store } = given;
  await store.createBucket(bucket, "alice");
  const fitted = await fill(store);
  ok(fitted >= 5 && fitted <= 8, `${fitted} fitted`);
  strictEqual((await keys(store)).length, fitted);
  for (let n = 0; n < fitted; n++) await store.deleteObject(bucket, key(n), { precondition: {} });
  deepStrictEqual(await keys(store), []);
  await store.deleteBucket(bucket);
});

/** Has a native client put objects of many chunks. */
async function putNatively(
  { native }: { readonly native: Objm },
  count: number,
): Promise<void> {
  const objects = await native.open("full");
  for (let n = 0; n < count; n++) {
    const options = { max_chunk_size: 64 * 1024 };
    await objects.putBlob({ name: key(n), options }, someBytes(300_000, n));
  }
}

Deno.test("native objects that are deleted in a full bucket leave no bytes", async () => {
  await using given = await storeOnServer({ store: { grace: 0 } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await putNatively(given, 12);
  await fillToTheBrim(connection);
  await using other = await openStore(given.server.url);
  strictEqual((await keys(other.store)).length, 12);

  for (let n = 0; n < 12; n++) await store.deleteObject(bucket, key(n), { precondition: {} });
  deepStrictEqual(await keys(store), []);
  deepStrictEqual(await keys(other.store), []);
  await store.freeReplaced(bucket);
  await checkOnlyLive(connection);
  await store.deleteBucket(bucket);
});

Deno.test("bytes with a second name outlive the first one in a full bucket", async () => {
  await using given = await storeOnServer({ store: { grace: 0 } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await putNatively(given, 1);
  const { message } = await call<{ message: { data: string } }>(connection, "MSG.GET", {
    last_by_subj: "$O.full.M.>",
  });
  const info = JSON.parse(Buffer.from(message.data, "base64").toString());
  await connection.request("$O.full.M.dHdpbg==", JSON.stringify({ ...info, name: "twin" }));
  await fillToTheBrim(connection);

  await store.deleteObject(bucket, key(0), { precondition: {} });
  await store.freeReplaced(bucket);
  deepStrictEqual(await keys(store), ["twin"]);
  const twin = await read(store, bucket, "twin" as ObjectKey);
  ok(sameBytes(twin.bytes, someBytes(300_000, 0)));
  await store.deleteObject(bucket, "twin" as ObjectKey, { precondition: {} });
  await store.freeReplaced(bucket);
  await checkOnlyLive(connection);
});

Deno.test("a full bucket that no gateway has written to is emptied and deleted", async () => {
  await using given = await storeOnServer({ store: { grace: 0 } });
  const { store, native, connection } = given;
  await native.create("full");
  await putNatively(given, 3);
  await fillToTheBrim(connection);
  await rejects(store.deleteBucket(bucket), { code: "BucketNotEmpty" });
  for (let n = 0; n < 3; n++) await store.deleteObject(bucket, key(n), { precondition: {} });
  await store.freeReplaced(bucket);
  await checkOnlyLive(connection);
  await store.deleteBucket(bucket);
  await rejects(store.readBucket(bucket), { code: "NoSuchBucket" });
});

Deno.test("what a full bucket cannot record is finished when it has room", async () => {
  const grace = 500;
  await using given = await storeOnServer({ store: { grace } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await putNatively(given, 2);
  for (const n of [2, 3]) await store.putObject(bucket, key(n), input(someBytes(4 * MIB, n)));
  await using other = await openStore(given.server.url);
  strictEqual((await keys(other.store)).length, 4);
  const { body } = await store.getObject(bucket, key(2), () => "all");
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  while ((await subjects(connection, "S3.lease.")).length === 0) await delay(20);

  await limitTo(connection, 1); // as if native writers took everything that becomes free
  for (let n = 0; n < 4; n++) {
    await store.deleteObject(bucket, key(n), { precondition: {} });
    await rejects(store.readObject(bucket, key(n)), { code: "NoSuchKey" });
  }
  deepStrictEqual(await keys(store), []);
  strictEqual((await subjects(connection, "C.")).length, 1, "only the bytes that are being read");
  deepStrictEqual(store.bucketsToFree(), [bucket]);
  await delay(grace);
  deepStrictEqual(await store.freeReplaced(bucket), { freed: 0, waiting: 1 });
  await reader.cancel();
  await call(connection, "PURGE", { filter: "$O.full.S3.lease.>" });
  deepStrictEqual(await store.freeReplaced(bucket), { freed: 1, waiting: 0 });
  await checkOnlyLive(connection);

  await limitTo(connection, -1);
  await store.freeReplaced(bucket); // publishes the delete markers, which tell other gateways
  deepStrictEqual(store.bucketsToFree(), []);
  deepStrictEqual(await keys(other.store), []);
});

Deno.test("replaced bytes that have no room for a trash record are freed after the grace", async () => {
  const grace = 500;
  await using given = await storeOnServer();
  const { store, server, connection } = given;
  await store.createBucket(bucket, "alice");
  await connection.request(
    "$JS.API.STREAM.CREATE.BRIM",
    JSON.stringify({
      name: "BRIM",
      subjects: ["brim"],
      max_bytes: 1,
      discard: "new",
      allow_rollup_hdrs: true,
    }),
  );
  await using proxy = new TcpProxy(server.port);
  await using gateway = await openStore(proxy.url, { grace });
  proxy.judge = ({ verb, subject }) =>
    verb.endsWith("PUB") && subject.startsWith("$O.full.S3.trash.") ? { subject: "brim" } : "pass";
  for (const seed of [1, 2]) {
    await gateway.store.putObject(bucket, key(0), input(someBytes(MIB, seed)));
  }
  deepStrictEqual(await gateway.store.freeReplaced(bucket), { freed: 0, waiting: 1 });
  strictEqual((await subjects(connection, "C.")).length, 2);
  await delay(grace);
  deepStrictEqual(await gateway.store.freeReplaced(bucket), { freed: 1, waiting: 0 });
  await checkOnlyLive(connection);
  ok(sameBytes((await read(store, bucket, key(0))).bytes, someBytes(MIB, 2)));
});

Deno.test("an upload in a full bucket is left as it was by Complete, and aborted", async () => {
  await using given = await storeOnServer({ store: { grace: 0 } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, key(0), input(someBytes(MIB)));
  const id = await beginUpload(store);
  await fillToTheBrim(connection);
  await rejects(complete(store, id), { code: "QuotaExceeded" });
  const { items } = await store.listParts(bucket, key(0), id, { after: 0, limit: 10 });
  deepStrictEqual(items.map(({ number }) => number), [1, 2]);
  ok(sameBytes((await read(store, bucket, key(0))).bytes, someBytes(MIB)));

  await store.abortUpload(bucket, key(0), id);
  await rejects(complete(store, id), { code: "NoSuchUpload" });
  await rejects(store.abortUpload(bucket, key(0), id), { code: "NoSuchUpload" });
  await checkOnlyLive(connection);
  await store.putObject(bucket, key(0), input(someBytes(1000))); // there is room again
});

Deno.test("a Complete that lands after an Abort in a full bucket is refused", async () => {
  await using given = await storeOnServer({ store: { grace: 0 } });
  const { store, server, connection } = given;
  await using proxy = new TcpProxy(server.port);
  await using slow = await openStore(proxy.url);
  await store.createBucket(bucket, "alice");
  const id = await beginUpload(store);
  const sent = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  proxy.judge = ({ verb, text }) => {
    if (verb !== "HPUB" || !text.includes("Nats-Batch-Commit: 1")) return "pass";
    sent.resolve();
    return { hold: release.promise };
  };
  const completing = complete(slow.store, id);
  completing.catch(() => {});
  await sent.promise;
  await fillToTheBrim(connection);
  await store.abortUpload(bucket, key(0), id);
  await limitTo(connection, -1);
  release.resolve();
  await rejects(completing, { code: "NoSuchUpload" });
  await rejects(store.readObject(bucket, key(0)), { code: "NoSuchKey" });
  await checkOnlyLive(connection);
});

Deno.test("a sweep of a full bucket aborts abandoned uploads and frees orphans", async () => {
  await using given = await storeOnServer({ store: { grace: 0 } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await beginUpload(store);
  await connection.request("$O.full.C.orphan", someBytes(1000));
  await fillToTheBrim(connection);
  ok(await store.claimSweep(bucket, 3_600_000));
  const { uploads, orphans } = await store.sweep(bucket, {
    minAge: 0,
    uploadExpiry: 0,
    dryRun: false,
  });
  deepStrictEqual({ uploads, orphans }, { uploads: 1, orphans: 1 });
  await checkOnlyLive(connection);
});

Deno.test("a full bucket without objects is deleted with its uploads and orphans", async () => {
  await using given = await storeOnServer();
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await beginUpload(store);
  await connection.request("$O.full.C.orphan", someBytes(1000));
  await fillToTheBrim(connection);
  await store.deleteBucket(bucket);
  await rejects(store.readBucket(bucket), { code: "NoSuchBucket" });
  await store.createBucket(bucket, "bob");
  await store.putObject(bucket, key(0), input(someBytes(1000)));
  deepStrictEqual(await keys(store), ["k0"]);
});

Deno.test("DeleteBucket keeps writers out of a full bucket, and lets them in if it fails", async () => {
  await using given = await storeOnServer({ store: { grace: 0 } });
  const { store, server, connection } = given;
  await using proxy = new TcpProxy(server.port);
  await using slow = await openStore(proxy.url, { timeout: 500 });
  await store.createBucket(bucket, "alice");
  await beginUpload(store);
  await fillToTheBrim(connection);

  // The response to the deletion is lost, and so is the deletion.
  proxy.judge = ({ verb, subject }) =>
    verb.endsWith("PUB") && subject === "$JS.API.STREAM.DELETE.OBJ_full" ? "drop" : "pass";
  await rejects(slow.store.deleteBucket(bucket), { code: "ServiceUnavailable" });
  await limitTo(connection, -1);
  const put = (): Promise<unknown> => store.putObject(bucket, key(0), input(someBytes(1000)));
  await rejects(put(), { code: "OperationAborted" });
  await store.deleteBucket(bucket);
  await rejects(store.readBucket(bucket), { code: "NoSuchBucket" });

  // An object appears before the fence stands.
  await store.createBucket(bucket, "alice");
  const id = await beginUpload(store);
  await fillToTheBrim(connection);
  proxy.judge = ({ verb, subject }) => {
    if (!verb.endsWith("PUB") || subject !== "$JS.API.STREAM.UPDATE.OBJ_full") return "pass";
    proxy.judge = () => "pass";
    return { hold: limitTo(connection, -1).then(put).then(() => fillToTheBrim(connection)) };
  };
  await rejects(slow.store.deleteBucket(bucket), { code: "BucketNotEmpty" });
  await limitTo(connection, -1);
  await put();
  await complete(store, id);
  deepStrictEqual(await keys(store), ["k0"]);
});

Deno.test("the fence of a gateway that died in a full bucket falls with its mark", async () => {
  await using given = await storeOnServer();
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const put = (): Promise<unknown> => store.putObject(bucket, key(0), input(someBytes(1000)));
  const { config, ts } = await call<Info>(connection, "INFO");
  const fence = async (until: number): Promise<void> => {
    const subjects = config.subjects.filter((subject) => subject !== "$O.full.M.>");
    const metadata = { "s3-deletion": `somebody ${until}` };
    await call(connection, "UPDATE", { ...config, subjects, metadata });
  };
  await using other = await openStore(given.server.url);
  await fence(Date.parse(ts) + 60_000);
  await rejects(other.store.putObject(bucket, key(0), input(someBytes(1))), {
    code: "OperationAborted",
  });
  await rejects(other.store.deleteBucket(bucket), { code: "OperationAborted" });
  await fence(Date.parse(ts) - 60_000);
  await other.store.putObject(bucket, key(0), input(someBytes(1)));
  await put();
  deepStrictEqual(await keys(store), ["k0"]);
});

const LIMITS = {
  "of its account": {
    config: `accounts { A: {
      jetstream: { max_file: 4MB, max_mem: 4MB }, users: [{ user: a, password: a }]
    } }
    no_auth_user: a`,
  },
  "of its server": { jetstream: "max_file_store: 4MB\n max_memory_store: 4MB" },
};

for (const [limit, server] of Object.entries(LIMITS)) {
  for (const storage of ["file", "memory"] as const) {
    Deno.test(`a bucket in ${storage} at the limit ${limit} is emptied and deleted`, async () => {
      await using given = await storeOnServer({ server, store: { storage, grace: 0 } });
      const { store, connection } = given;
      await store.createBucket(bucket, "alice");
      await store.createBucket("other" as BucketName, "alice");
      await store.putObject(bucket, key(1), input(someBytes(100_000)));
      await putNatively(given, 1);
      const id = await beginUpload(store);
      for (const size of [100_000, 1000, 100, 0]) {
        for (;;) {
          const reply = await connection.request("$O.other.C.filler", new Uint8Array(size));
          if ("error" in reply.json<object>()) break;
        }
      }
      await rejects(complete(store, id), { code: "QuotaExceeded" });
      await store.abortUpload(bucket, key(0), id);
      for (let n = 0; n < 2; n++) await store.deleteObject(bucket, key(n), { precondition: {} });
      await store.freeReplaced(bucket);
      deepStrictEqual(await keys(store), []);
      await checkOnlyLive(connection);

      for (const size of [100_000, 1000, 100, 0]) {
        for (;;) {
          const reply = await connection.request("$O.other.C.filler", new Uint8Array(size));
          if ("error" in reply.json<object>()) break;
        }
      }
      await store.deleteBucket(bucket);
      await rejects(store.readBucket(bucket), { code: "NoSuchBucket" });
    });
  }
}

Deno.test("a bucket that is larger than its server is refused cleanly", async () => {
  const server = LIMITS["of its server"];
  for (const storage of ["file", "memory"] as const) {
    await using given = await storeOnServer({ server, store: { storage, quota: 64 * MIB } });
    await rejects(given.store.createBucket(bucket, "alice"), { code: "QuotaExceeded" });
  }
});
