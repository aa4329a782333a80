/** DeleteBucket against racing writers, crashes, and buckets that are made again. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { headers as createHeaders, type NatsConnection } from "@nats-io/nats-core";
import { createNatsStore } from "../../src/nats/store.ts";
import type { S3Error } from "../../src/s3/errors.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import { call } from "../contract/nats_store.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  sharedServer,
  someBytes,
  STORE_OPTIONS,
  storeOnServer,
} from "./store_on_server.ts";
import { type Frame, TcpProxy } from "./tcp_proxy.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "fence" as BucketName;
const key = "k" as ObjectKey;

type Config = { readonly subjects: readonly string[] };

async function config(
  connection: Awaited<ReturnType<typeof storeOnServer>>["connection"],
): Promise<Config> {
  const reply = await connection.request("$JS.API.STREAM.INFO.OBJ_fence");
  return reply.json<{ config: Config }>().config;
}

Deno.test("a PUT that races with DeleteBucket is stored or refused, never lost", async () => {
  await using given = await storeOnServer({ on });
  const { store } = given;
  using other = createNatsStore(given.connection, STORE_OPTIONS);
  const outcomes = { stored: 0, deleted: 0 };
  for (let round = 0; round < 60; round++) {
    await store.createBucket(bucket, "alice");
    // Now the one, now the other has a head start.
    const [later, first] = [delay([0, 1, 2, 4, 8, 60][round % 6]), Promise.resolve()];
    const [pause, pauseDelete] = round % 4 < 2 ? [later, first] : [first, later];
    const put = pause.then(() => other.putObject(bucket, key, input(someBytes(100, round))))
      .then(() => true, (cause: S3Error) => {
        ok(
          ["NoSuchBucket", "OperationAborted", "ServiceUnavailable"].includes(cause.code),
          String(cause.cause ?? cause),
        );
        return false;
      });
    const removed = pauseDelete.then(() => store.deleteBucket(bucket)).then(
      () => true,
      (cause: S3Error) => {
        strictEqual(cause.code, "BucketNotEmpty");
        return false;
      },
    );
    const [stored, deleted] = await Promise.all([put, removed]);
    ok(!(stored && deleted), `round ${round}: acknowledged and gone`);
    if (stored) {
      outcomes.stored++;
      ok(sameBytes((await read(store, bucket, key)).bytes, someBytes(100, round)));
      await store.deleteObject(bucket, key, { precondition: {} });
    } else outcomes.deleted++;
    if (!deleted) await store.deleteBucket(bucket);
  }
  ok(outcomes.stored > 0 && outcomes.deleted > 0, JSON.stringify(outcomes));
});

Deno.test("a native put is refused while the fence is up", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection, native } = given;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, key, input(someBytes(3)));
  await rejects(store.deleteBucket(bucket), { code: "BucketNotEmpty" });
  ok((await config(connection)).subjects.includes("$O.fence.M.>"), "the fence is down again");
  await (await native.open("fence")).putBlob({ name: "n" }, someBytes(4));
  strictEqual((await read(store, bucket, "n" as ObjectKey)).bytes.length, 4);
});

Deno.test("a fence that a dead gateway left falls with its lock", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, key, input(someBytes(3)));
  const before = await config(connection);
  const fenced = {
    ...before,
    subjects: before.subjects.filter((subject) => subject !== "$O.fence.M.>"),
  };
  await connection.request("$O.fence.S3.lock.delete", "", { headers: ttl("2s"), timeout: 2000 });
  await connection.request("$JS.API.STREAM.UPDATE.OBJ_fence", JSON.stringify(fenced));
  using other = createNatsStore(connection, STORE_OPTIONS);
  await rejects(other.putObject(bucket, key, input(someBytes(4))), { code: "OperationAborted" });
  strictEqual((await read(other, bucket, key)).bytes.length, 3, "reads go on");
  await delay(3500);
  using third = createNatsStore(connection, STORE_OPTIONS);
  await third.putObject(bucket, key, input(someBytes(4)));
  deepStrictEqual([...(await config(connection)).subjects].sort(), [...before.subjects].sort());
});

const LOCK = "$O.fence.S3.lock.delete";
const INFOS = "$O.fence.M.>";

/** A gateway behind a proxy that holds the first frame that matches, and what happens meanwhile. */
async function heldAt(
  given: Awaited<ReturnType<typeof storeOnServer>>,
  matches: (frame: Frame) => boolean,
  run: (store: Store) => Promise<unknown>,
  meanwhile: () => Promise<unknown>,
): Promise<unknown> {
  await using proxy = new TcpProxy(given.server.port);
  await using gateway = await openStore(proxy.url);
  const arrived = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  let isHeld = false;
  proxy.judge = (frame) => {
    if (isHeld || !frame.verb.endsWith("PUB") || !matches(frame)) return "pass";
    isHeld = true;
    arrived.resolve();
    return { hold: release.promise };
  };
  const outcome = run(gateway.store).then(() => undefined, (cause) => cause);
  const early = outcome.then((cause) => {
    if (!isHeld) throw new Error("It ended before it came that far", { cause });
  });
  await Promise.race([arrived.promise, early]);
  await meanwhile();
  release.resolve();
  return await outcome;
}

/** Another gateway takes the lock, after it has expired. */
async function takeLock(connection: NatsConnection): Promise<void> {
  await call(connection, "STREAM.PURGE.OBJ_fence", { filter: LOCK });
  await connection.request(LOCK, "", { headers: ttl("30s"), timeout: 2000 });
}

async function setSubjects(
  connection: NatsConnection,
  change: (subjects: readonly string[]) => readonly string[],
): Promise<void> {
  const before = await config(connection);
  const changed = { ...before, subjects: change(before.subjects) };
  await call(connection, "STREAM.UPDATE.OBJ_fence", changed);
}

Deno.test("a bucket whose deletion was given up is listed, and swept as any other", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, key, input(someBytes(100)));
  await connection.request("$O.fence.C.0123456789abcdef01234567", "nobody names this");
  const before = await config(connection);
  const subjects = before.subjects.filter((subject) => subject !== "$O.fence.M.>");
  await call(connection, "STREAM.UPDATE.OBJ_fence", { ...before, subjects });
  await using other = await openStore(given.server.url);
  const [listed] = await other.store.listBuckets();
  strictEqual(listed?.name, bucket);
  strictEqual(await other.store.claimSweep(bucket, 60_000), true);
  ok((await config(connection)).subjects.includes("$O.fence.M.>"));
  const { orphans } = await other.store.sweep(bucket, { minAge: 0, dryRun: false });
  strictEqual(orphans, 1);
  ok(sameBytes((await read(other.store, bucket, key)).bytes, someBytes(100)));
});

Deno.test("the sweep leaves a bucket alone that somebody deletes", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await connection.request("$O.fence.S3.lock.delete", "");
  const before = await config(connection);
  const subjects = before.subjects.filter((subject) => subject !== "$O.fence.M.>");
  await call(connection, "STREAM.UPDATE.OBJ_fence", { ...before, subjects });
  strictEqual(await store.claimSweep(bucket, 60_000), false);
  ok(!(await config(connection)).subjects.includes("$O.fence.M.>"));
});

Deno.test("a gateway whose lock has expired leaves the fence to the one that has it now", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  let locks = 0;
  const outcome = await heldAt(
    given,
    // What it asks for first when it has renewed its lock behind the fence.
    ({ subject }) => subject === LOCK ? ++locks > 2 : locks === 2,
    (gateway) => gateway.deleteBucket(bucket),
    () => takeLock(connection),
  );
  strictEqual((outcome as S3Error).code, "OperationAborted");
  ok(!(await config(connection)).subjects.includes(INFOS), "the fence is down");
});

Deno.test("a fence without a lock is taken down by nobody once another gateway has the lock", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await setSubjects(connection, (subjects) => subjects.filter((subject) => subject !== INFOS));
  let looked = false;
  await heldAt(
    given,
    ({ subject, text }) => {
      if (looked) return true;
      looked = subject.includes("STREAM.MSG.GET") && text.includes(LOCK);
      return false;
    },
    (gateway) => gateway.readBucket(bucket),
    () => takeLock(connection),
  );
  ok(!(await config(connection)).subjects.includes(INFOS), "the fence is down");
});

Deno.test("a bucket whose fence was taken down behind its back is not deleted", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  let isKept = false;
  const outcome = await heldAt(
    given,
    ({ subject, text }) => {
      if (isKept) return true;
      isKept = subject === LOCK && !text.includes("Nats-TTL");
      return false;
    },
    (gateway) => gateway.deleteBucket(bucket),
    async () => {
      await setSubjects(connection, (subjects) => [...subjects, INFOS]);
      await store.putObject(bucket, key, input(someBytes(7)));
    },
  );
  strictEqual((outcome as S3Error).code, "OperationAborted");
  strictEqual((await read(store, bucket, key)).bytes.length, 7);
  await store.putObject(bucket, key, input(someBytes(8)));
});

Deno.test("a bucket that is being deleted cannot be made, one whose deletion was decided can", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const before = await config(connection);
  const fenced = {
    ...before,
    subjects: before.subjects.filter((subject) => subject !== "$O.fence.M.>"),
  };
  await connection.request("$O.fence.S3.lock.delete", "", { headers: ttl("30s"), timeout: 2000 });
  await connection.request("$JS.API.STREAM.UPDATE.OBJ_fence", JSON.stringify(fenced));
  // The other gateway has purged the bucket's records, and asks for its deletion now.
  await connection.request("$JS.API.STREAM.PURGE.OBJ_fence", '{"filter":"$O.fence.S3.bucket.>"}');
  await rejects(store.createBucket(bucket, "bob"), { code: "OperationAborted" });
  await connection.request("$O.fence.S3.lock.delete", "kept");
  await store.createBucket(bucket, "bob");
  strictEqual((await store.readBucket(bucket)).owner, "bob");
  await store.putObject(bucket, key, input(someBytes(4)));
  await store.deleteObject(bucket, key, { precondition: {} });
  await store.deleteBucket(bucket);
});

Deno.test("a deletion that another gateway carried out leaves the bucket alone that was made since", async () => {
  await using given = await storeOnServer({ on });
  const { store } = given;
  await using proxy = new TcpProxy(given.server.port);
  await using slow = await openStore(proxy.url);
  await store.createBucket(bucket, "alice");
  for (const held of ["STREAM.PURGE", "STREAM.INFO"]) {
    const asked = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    let isDecided = false;
    proxy.judge = ({ direction, subject, text }) => {
      if (direction === "to client") return "pass";
      if (subject.endsWith("S3.lock.delete") && text.trimEnd().endsWith("kept")) isDecided = true;
      // The first question after the decision, or the request after it.
      if (!isDecided || !subject.includes(held)) return "pass";
      asked.resolve();
      return { hold: release.promise };
    };
    const deleted = slow.store.deleteBucket(bucket).then(() => "done", ({ code }) => code);
    await asked.promise;
    await store.deleteBucket(bucket);
    await store.createBucket(bucket, "alice");
    await store.putObject(bucket, key, input(someBytes(100)));
    proxy.judge = () => "pass";
    release.resolve();
    ok(["done", "OperationAborted"].includes(await deleted));
    ok(sameBytes((await read(store, bucket, key)).bytes, someBytes(100)), held);
    await store.deleteObject(bucket, key, { precondition: {} });
  }
});

Deno.test("a bucket deleted and made again while a PUT runs shows nothing of it", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  for (const slow of [false, true]) {
    await store.createBucket(bucket, "alice");
    const bytes = someBytes(600_000);
    const { content, ...rest } = input(bytes);
    let go = (): void => {};
    const paused = new Promise<void>((resolve) => go = resolve);
    const stream = ReadableStream.from(async function* () {
      yield bytes.subarray(0, 500_000);
      await paused;
      yield bytes.subarray(500_000);
    }());
    const put = store.putObject(bucket, key, { ...rest, content: { ...content, stream } });
    const settled = put.then(() => "stored", (cause: S3Error) => cause.code);
    await delay(slow ? 1200 : 50);
    await connection.request("$JS.API.STREAM.DELETE.OBJ_fence"); // another gateway's DeleteBucket
    await store.createBucket(bucket, "bob");
    // More messages than the PUT has seen, so that sequences alone do not tell.
    if (slow) { for (let n = 0; n < 9; n++) await connection.request("$O.fence.S3.sync", ""); }
    go();
    strictEqual(await settled, "ServiceUnavailable");
    await rejects(store.readObject(bucket, key), { code: "NoSuchKey" });
    const page = await store.listObjects(bucket, {
      prefix: "",
      delimiter: "",
      after: "",
      limit: 9,
    });
    deepStrictEqual(page.objects, []);
    await store.deleteBucket(bucket);
  }
});

function ttl(value: string): ReturnType<typeof createHeaders> {
  const headers = createHeaders();
  headers.set("Nats-TTL", value);
  return headers;
}
