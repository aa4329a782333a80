/** DeleteBucket against racing writers, crashes, and buckets that are made again. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { headers as createHeaders } from "@nats-io/nats-core";
import type { S3Error } from "../../src/s3/errors.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import {
  input,
  read,
  sameBytes,
  someBytes,
  STORE_OPTIONS,
  storeOnServer,
} from "./store_on_server.ts";

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
  await using given = await storeOnServer();
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
      await store.deleteObject(bucket, key, {});
    } else outcomes.deleted++;
    if (!deleted) await store.deleteBucket(bucket);
  }
  ok(outcomes.stored > 0 && outcomes.deleted > 0, JSON.stringify(outcomes));
});

Deno.test("a native put is refused while the fence is up", async () => {
  await using given = await storeOnServer();
  const { store, connection, native } = given;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, key, input(someBytes(3)));
  await rejects(store.deleteBucket(bucket), { code: "BucketNotEmpty" });
  ok((await config(connection)).subjects.includes("$O.fence.M.>"), "the fence is down again");
  await (await native.open("fence")).putBlob({ name: "n" }, someBytes(4));
  strictEqual((await read(store, bucket, "n" as ObjectKey)).bytes.length, 4);
});

Deno.test("a fence that a dead gateway left falls with its lock", async () => {
  await using given = await storeOnServer();
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

Deno.test("a bucket that is being deleted cannot be made, one whose deletion was decided can", async () => {
  await using given = await storeOnServer();
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
  await store.deleteObject(bucket, key, {});
  await store.deleteBucket(bucket);
});

Deno.test("a bucket deleted and made again while a PUT runs shows nothing of it", async () => {
  await using given = await storeOnServer();
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
