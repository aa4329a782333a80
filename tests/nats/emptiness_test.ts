/** DeleteBucket of buckets that look empty, and of those that are. */

import { deepStrictEqual, rejects } from "node:assert/strict";
import { mapAtOnce } from "../../src/collections/map_at_once.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import {
  input,
  openStore,
  sharedServer,
  someBytes,
  type StoreOnServer,
  storeOnServer,
} from "./store_on_server.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "empty" as BucketName;

/** Writes what a native client leaves of objects that it deleted. */
async function bury({ connection }: StoreOnServer, ...numbers: readonly number[]): Promise<void> {
  await mapAtOnce(numbers, 100, async (number) => {
    const name = `k${String(number).padStart(5, "0")}`;
    const info = { name, bucket, nuid: `n${number}`, size: 0, chunks: 0, deleted: true };
    await connection.request(`$O.empty.M.${btoa(name)}`, JSON.stringify(info));
  });
}

function numbers(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

Deno.test("an object among thousands of deleted ones keeps its bucket", async () => {
  await using given = await storeOnServer({ on });
  const { store } = given;
  await store.createBucket(bucket, "alice");
  await bury(given, ...numbers(0, 6000));
  await store.putObject(bucket, "live" as ObjectKey, input(someBytes(3)));
  await bury(given, ...numbers(6000, 7000));
  await rejects(store.deleteBucket(bucket), { code: "BucketNotEmpty" });
  await store.deleteObject(bucket, "live" as ObjectKey, { precondition: {} });
  await bury(given, ...numbers(0, 1));
  await store.deleteBucket(bucket);
  await rejects(store.readBucket(bucket), { code: "NoSuchBucket" });
});

Deno.test("objects that cannot be read or listed keep their bucket", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  for (const subject of ["$O.empty.M.YQ==", "$O.empty.M.not-base64url!", "$O.empty.M._w=="]) {
    await store.createBucket(bucket, "alice");
    await bury(given, 1);
    await connection.request(subject, JSON.stringify({ name: "a", nuid: 7, size: "many" }));
    await bury(given, 2);
    await rejects(store.deleteBucket(bucket), { code: "BucketNotEmpty" }, subject);
    await connection.request(
      `$JS.API.STREAM.PURGE.OBJ_${bucket}`,
      JSON.stringify({ filter: subject }),
    );
    await store.deleteBucket(bucket);
  }
});

Deno.test("a gateway whose index is wrong does not delete a bucket", async () => {
  await using given = await storeOnServer({ on });
  const { store, server, connection } = given;
  await store.createBucket(bucket, "alice");
  await using other = await openStore(server.url);
  const query = { prefix: "", delimiter: "", after: "", limit: 1000 };
  deepStrictEqual((await other.store.listObjects(bucket, query)).objects, []);
  await bury(given, 1);
  // The index learns of nothing any more.
  const list = await connection.request(`$JS.API.CONSUMER.NAMES.OBJ_${bucket}`);
  for (const name of list.json<{ consumers: readonly string[] }>().consumers) {
    await connection.request(
      `$JS.API.CONSUMER.PAUSE.OBJ_${bucket}.${name}`,
      JSON.stringify({
        pause_until: new Date(Date.now() + 60_000).toISOString(),
      }),
    );
  }
  await store.putObject(bucket, "live" as ObjectKey, input(someBytes(3)));
  await bury(given, 2);
  await rejects(other.store.deleteBucket(bucket), { code: "BucketNotEmpty" });
});
