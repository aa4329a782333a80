/** A bucket, or an account, without room: PUTs are refused cleanly, deletes and listings go on. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import { input, someBytes, storeOnServer, subjectsOfStream } from "./store_on_server.ts";

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
  await store.deleteObject(bucket, key(0), {});
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
  // An operator limits the stream to less than it holds: every publish is refused.
  const info = (await connection.request("$JS.API.STREAM.INFO.OBJ_full")).json<
    { config: Record<string, unknown>; state: { bytes: number } }
  >();
  const update = await connection.request(
    "$JS.API.STREAM.UPDATE.OBJ_full",
    JSON.stringify({ ...info.config, max_bytes: info.state.bytes }),
  );
  ok(!("error" in update.json<object>()));

  await rejects(store.putObject(bucket, key(9), input(someBytes(10))), { code: "QuotaExceeded" });
  deepStrictEqual(await keys(store), ["k0", "k1", "k2"]);
  for (let n = 0; n < 3; n++) await store.deleteObject(bucket, key(n), {});
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
  for (let n = 0; n < fitted; n++) await store.deleteObject(bucket, key(n), {});
  deepStrictEqual(await keys(store), []);
  await store.deleteBucket(bucket);
});
