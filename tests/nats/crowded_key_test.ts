/** A crowd of writers on one key: each of them works for its own write, and not in vain. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { input, read, someBytes, storeOnServer } from "./store_on_server.ts";

const bucket = "crowded" as BucketName;
const key = "key" as ObjectKey;
const SUBJECT = infoSubject(bucket as string as StoreName, key);

const WRITERS = 100;

Deno.test("writes of one key at once publish its object info about twice each", async () => {
  let commits = 0;
  await using given = await storeOnServer({
    store: {
      observe: {
        call({ method, subject }) {
          if (method === "publish" && subject === SUBJECT) commits++;
          return () => {};
        },
      },
    },
  });
  const { store } = given;
  await store.createBucket(bucket, "alice");
  const many = Array.from({ length: WRITERS }, (_, i) => {
    return store.putObject(bucket, key, input(someBytes(1000 + i)));
  });
  const sizes = (await Promise.all(many)).map(({ size }) => size);
  deepStrictEqual(sizes, many.map((_, i) => 1000 + i));
  ok(commits <= 2 * WRITERS, `${commits} commits of ${WRITERS} writes`);
  ok((await read(store, bucket, key)).bytes.length >= 1000);
});

Deno.test("of a crowd that creates a key, one writer succeeds", async () => {
  await using given = await storeOnServer();
  const { store } = given;
  await store.createBucket(bucket, "alice");
  const condition = { precondition: { ifNoneMatch: "*" as const } };
  const results = await Promise.allSettled(Array.from({ length: WRITERS }, (_, i) => {
    return store.putObject(bucket, key, input(someBytes(1000 + i), condition));
  }));
  strictEqual(results.filter(({ status }) => status === "fulfilled").length, 1);
});
