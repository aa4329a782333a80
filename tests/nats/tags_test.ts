/** Tags of objects that native clients wrote, or a newer gateway, and in a full bucket. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { ObjectKey } from "../../src/s3/names.ts";
import { call } from "../contract/nats_store.ts";
import {
  input,
  read,
  sameBytes,
  sharedServer,
  someBytes,
  type StoreOnServer,
  storeOnServer,
} from "./store_on_server.ts";
import {
  bucket,
  BYTES,
  hasBytes,
  key,
  stream,
  SUBJECT,
  tagsOf,
  withProxy,
  withTags,
} from "./tagged_object.ts";

// Tests that take turns on one server.
const on = await sharedServer();

async function readRaw({ connection }: StoreOnServer): Promise<Record<string, unknown>> {
  const query = { last_by_subj: SUBJECT };
  const { message } = await call<{ message: { data: string } }>(
    connection,
    `STREAM.MSG.GET.${stream}`,
    query,
  );
  return JSON.parse(atob(message.data));
}

Deno.test("tags change nothing else of an object that a native client wrote, and it still reads it", () =>
  withProxy(async (given) => {
    const { store, native } = given;
    const objects = await native.open(bucket);
    const metadata = { color: "red", "x-amz-tag-Team": "a", "x-amz-meta-one": "1" };
    await objects.putBlob({ name: key, description: "mine", metadata }, BYTES);
    const before = await store.readObject(bucket, key);
    deepStrictEqual(before.properties.tags, { Team: "a" });
    const raw = await readRaw(given);
    await given.connection.request(SUBJECT, JSON.stringify({ ...raw, future: { a: [1] } }));
    const changed = await store.readObject(bucket, key);

    await delay(20); // the message of the tags is stored later
    await store.putObjectTags(bucket, key, { team: "b" });
    deepStrictEqual(await store.readObject(bucket, key), {
      ...changed,
      properties: { ...before.properties, tags: { team: "b" } },
    });
    const { metadata: tagged, ...rest } = await readRaw(given);
    deepStrictEqual(tagged, {
      color: "red",
      "x-amz-meta-one": "1",
      "s3.modified": changed.modified.toISOString(),
      "x-amz-tag-team": "b",
    });
    const { metadata: _, ...wanted } = raw;
    deepStrictEqual(rest, { ...wanted, future: { a: [1] } });
    const blob = await objects.getBlob(key); // throws when the digest is wrong
    ok(blob !== null && sameBytes(blob, BYTES));
    await hasBytes(given, BYTES);
  }));

Deno.test("an object that only a newer gateway can read gets no tags", () =>
  withProxy(async (given) => {
    const raw = await readRaw(given);
    const metadata = { ...raw["metadata"] as object, "s3.needs": "future" };
    await given.connection.request(SUBJECT, JSON.stringify({ ...raw, metadata }));
    const tagging = given.store.putObjectTags(bucket, key, { a: "1" });
    await rejects(tagging, { code: "InternalError" });
    deepStrictEqual(await readRaw(given), { ...raw, metadata });
  }));

Deno.test("tags that do not fit beside the metadata of a native client are refused", () =>
  withProxy(async (given) => {
    const { store, native } = given;
    const metadata = { "x-amz-meta-a": "x".repeat(8100) };
    await (await native.open(bucket)).putBlob({ name: key, metadata }, BYTES);
    const tags = { a: "x".repeat(100) };
    await rejects(store.putObjectTags(bucket, key, tags), { code: "MetadataTooLarge" });
    await store.putObjectTags(bucket, key, { a: "x" });
    deepStrictEqual(await tagsOf(given), { a: "x" });
    await hasBytes(given, BYTES);
  }));

Deno.test("a full bucket refuses tags cleanly, and lets them be deleted", async () => {
  const MIB = 1024 * 1024;
  await using given = await storeOnServer({ on, store: { quota: MIB } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, key, input(BYTES, withTags({ first: "1" })));
  for (let n = 0; n < 10; n++) {
    await store.putObject(bucket, `filler ${n}` as ObjectKey, input(someBytes(100_000))).catch(
      (cause) => strictEqual(cause.code, "QuotaExceeded"),
    );
  }
  const { config, state } = await call<{ config: object; state: { bytes: number } }>(
    connection,
    `STREAM.INFO.${stream}`,
  );
  await connection.request("$O.tagged.S3.sync", new Uint8Array(Math.max(0, MIB - state.bytes)));
  await rejects(store.putObjectTags(bucket, key, { a: "1" }), { code: "QuotaExceeded" });
  deepStrictEqual(await tagsOf(given), { first: "1" });
  await store.putObjectTags(bucket, key, {});
  deepStrictEqual(await tagsOf(given), {});

  // A native writer has filled the reserve as well.
  const { state: { bytes } } = await call<{ state: { bytes: number } }>(
    connection,
    `STREAM.INFO.${stream}`,
  );
  await call(connection, `STREAM.UPDATE.${stream}`, { ...config, max_bytes: bytes });
  await rejects(store.putObjectTags(bucket, key, {}), { code: "QuotaExceeded" });
  ok(sameBytes((await read(store, bucket, key)).bytes, BYTES));
});
