/** A limit of a bucket's objects: which writes it refuses, on every gateway, and what they leave. */

import type { NatsConnection } from "@nats-io/nats-core";
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { createNatsStore } from "../../src/nats/store.ts";
import { objectLimitOf, withObjectLimit } from "../../src/nats/buckets/object_limit.ts";
import { bucket, completion, key } from "../contract/inputs.ts";
import { list, put, upload } from "../contract/steps.ts";
import { compareWithLive } from "./live_bytes.ts";
import { input, openStore, someBytes, STORE_OPTIONS, storeOnServer } from "./store_on_server.ts";

const FULL = { code: "QuotaExceeded", fields: { ObjectLimit: 2, Objects: 2 } } as const;
const isFull = (cause: unknown): boolean => {
  const { code, fields } = cause as { code: string; fields: Record<string, unknown> };
  const { ObjectLimit, Objects } = fields;
  deepStrictEqual({ code, fields: { ObjectLimit, Objects } }, FULL);
  return true;
};

/** Limits the bucket, and waits for nothing: a store that has not used it yet reads the limit first. */
async function limitTo(connection: NatsConnection, limit: number | undefined): Promise<void> {
  using store = createNatsStore(connection, STORE_OPTIONS);
  await store.administration.change(bucket, ({ config }) => ({
    ...config,
    metadata: withObjectLimit(config.metadata ?? {}, limit),
  }));
}

Deno.test("a bucket with as many objects as its limit refuses new ones, and nothing else", async () => {
  await using server = await storeOnServer({ store: { grace: 0 } });
  const { store, connection, native } = server;
  await store.createBucket(bucket, "alice");
  await put(store, "a", "one");
  const { id, parts } = await upload(store, "u", [someBytes(200_000)]);
  await limitTo(connection, 2);
  await using first = await openStore(server.server.url, { grace: 0 });
  await using second = await openStore(server.server.url, { grace: 0 });
  await put(first.store, "b", "two");

  for (const gateway of [first.store, second.store]) {
    let isRead = false;
    const given = input(new Uint8Array());
    const stream = ReadableStream.from((function* () {
      isRead = true;
      yield someBytes(300_000);
    })());
    const content = { ...given.content, stream, size: 300_000 };
    await rejects(gateway.putObject(bucket, key("c"), { ...given, content }), isFull);
    strictEqual(isRead, false, "the body of a refused PUT is not read");
    await rejects(upload(gateway, "c", []), isFull);
    await rejects(gateway.completeUpload(bucket, key("u"), id, completion(parts)), isFull);
    await put(gateway, "a", "another one under the same key");
  }
  deepStrictEqual((await list(second.store)).keys, ["a", "b"]);
  // A rename adds no object, and a completed upload of a key that has one does neither.
  const unconditional = { precondition: { source: {}, destination: {} } };
  await second.store.renameObject(bucket, key("b"), key("d"), unconditional);
  const replacing = await upload(second.store, "d", ["three"]);
  await second.store.completeUpload(
    bucket,
    key("d"),
    replacing.id,
    completion(replacing.parts),
  );

  // Room for one more, on the gateway that did not delete.
  await second.store.deleteObject(bucket, key("a"), { precondition: {} });
  await first.store.completeUpload(bucket, key("u"), id, completion(parts));
  await first.store.completeUpload(bucket, key("u"), id, completion(parts)); // a repetition
  deepStrictEqual((await list(first.store)).keys, ["d", "u"]);
  // Native clients know of no limit, and their objects count.
  const objects = await native.open(bucket);
  await objects.putBlob({ name: "native" }, new TextEncoder().encode("four"));
  await first.store.deleteObject(bucket, key("u"), { precondition: {} });
  await rejects(put(first.store, "e", "five"), isFull);

  await limitTo(connection, undefined);
  await using third = await openStore(server.server.url, { grace: 0 });
  await put(third.store, "e", "five");
  for (const { store } of [first, second, third]) await store.freeReplaced(bucket);
  await third.store.sweep(bucket, { minAge: 0, dryRun: false });
  deepStrictEqual(await compareWithLive(connection, bucket), { unnamed: [], missing: [] });
});

Deno.test("a bucket that is made again has no limit", async () => {
  await using server = await storeOnServer();
  const { store, connection } = server;
  await store.createBucket(bucket, "alice");
  await limitTo(connection, 1);
  await store.deleteBucket(bucket);
  await store.createBucket(bucket, "alice");
  for (const name of ["a", "b"]) await put(store, name, name);
  deepStrictEqual((await list(store)).keys, ["a", "b"]);
});

Deno.test("a PUT reads the state of the bucket only if the bucket has a limit", async () => {
  await using server = await storeOnServer();
  const { store, connection } = server;
  await store.createBucket(bucket, "alice");
  const callsOfPut = async (name: string): Promise<readonly string[]> => {
    const calls: string[] = [];
    await using gateway = await openStore(server.server.url, {
      observe: { call: ({ method }) => (calls.push(method), () => {}) },
    });
    await put(gateway.store, "a", "one"); // reads the bucket, and begins to follow it
    calls.length = 0;
    await put(gateway.store, name, "two");
    return [...calls].sort();
  };
  deepStrictEqual(await callsOfPut("b"), ["direct_get", "publish", "publish"]);
  await limitTo(connection, 10);
  strictEqual((await callsOfPut("c")).includes("STREAM.INFO"), true);
});

Deno.test("objectLimitOf() ignores what cannot be a limit", () => {
  for (const text of ["", "0", "-1", "1.5", "1e3", "ten", " 1", "9".repeat(16)]) {
    strictEqual(objectLimitOf({ "s3-object-limit": text }), Infinity, text);
  }
  strictEqual(objectLimitOf({ "s3-object-limit": "12" }), 12);
  strictEqual(objectLimitOf(undefined), Infinity);
});
