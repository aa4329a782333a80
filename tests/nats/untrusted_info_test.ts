/** Object info that a native client wrote by hand: it harms no other object and never ends cleanly with wrong bytes. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import {
  input,
  read,
  sameBytes,
  sharedServer,
  someBytes,
  type StoreOnServer,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "hostile" as BucketName;
const key = "evil" as ObjectKey;
const victim = "victim" as ObjectKey;
const bytes = someBytes(700_000);

function subjectOf(key: string): string {
  const text = Buffer.from(key).toString("base64url");
  return `$O.hostile.M.${text}${"=".repeat(-text.length & 3)}`;
}

async function publish(given: StoreOnServer, info: unknown, at = "evil"): Promise<void> {
  const text = typeof info === "string" ? info : JSON.stringify(info);
  const reply = await given.connection.request(subjectOf(at), text);
  ok(!("error" in reply.json<object>()));
}

async function withVictim(): Promise<StoreOnServer & { readonly info: Record<string, unknown> }> {
  const given = await storeOnServer({ on, store: { grace: 1000 } });
  await given.store.createBucket(bucket, "alice");
  await given.store.putObject(bucket, victim, input(bytes));
  const message = await given.connection.request(
    `$JS.API.DIRECT.GET.OBJ_hostile.${subjectOf("victim")}`,
  );
  return Object.assign(given, { info: message.json<Record<string, unknown>>() });
}

/** Object info as a good client writes it. */
const good = { name: "evil", bucket: "hostile", nuid: "abc", size: 5, chunks: 1, digest: "" };

/** What a hostile or broken client might write, by what is wrong with it, and what GET answers. */
const INFOS: Readonly<Record<string, readonly [info: unknown, code: string]>> = {
  "a nuid that is a wildcard": [{ ...good, nuid: ">" }, "InternalError"],
  "a nuid of two tokens": [{ ...good, nuid: "a.b" }, "InternalError"],
  "a nuid that is a star": [{ ...good, nuid: "*" }, "InternalError"],
  "no nuid": [{ ...good, nuid: undefined }, "InternalError"],
  "a nuid that is a number": [{ ...good, nuid: 7 }, "InternalError"],
  "a nuid of 100 characters": [{ ...good, nuid: "a".repeat(100) }, "InternalError"],
  "a negative size": [{ ...good, size: -1 }, "InternalError"],
  "a size that is text": [{ ...good, size: "5" }, "InternalError"],
  "a size beyond integers": [{ ...good, size: 1e300 }, "InternalError"],
  "chunks without bytes": [{ ...good, size: 0, chunks: 3 }, "InternalError"],
  "bytes without chunks": [{ ...good, size: 3, chunks: 0 }, "InternalError"],
  "a billion chunks": [{ ...good, size: 1e15, chunks: 1e9 }, "InternalError"],
  "chunks that are not there": [good, "InternalError"],
  "a digest that is wrong": [{ ...good, digest: "SHA-256=AAAA" }, "InternalError"],
  "text that is not JSON": ["{", "InternalError"],
  "JSON that is no object": ["[1]", "InternalError"],
  "null": ["null", "InternalError"],
  // As a server marks a message that expired.
  "nothing": ["", "NoSuchKey"],
  "metadata that is no record": [{ ...good, metadata: [1, { a: 1 }] }, "InternalError"],
  "headers that are no record": [{ ...good, headers: "x" }, "InternalError"],
  "our own keys, misused": [
    { ...good, metadata: { "s3.seek": "1*zzzzzz", "s3.parts": "9*9999", "s3.checksum": "x" } },
    "InternalError",
  ],
  "a layout that is not there": [{ ...good, metadata: { "s3.layout": "parts" } }, "InternalError"],
  "__proto__ as metadata": [
    '{"nuid":"abc","size":5,"chunks":1,"metadata":{"__proto__":"x"}}',
    "InternalError",
  ],
  "a link": [{ ...good, options: { link: { bucket: "x", name: "victim" } } }, "NoSuchKey"],
  "a delete marker": [{ ...good, deleted: true }, "NoSuchKey"],
};

for (const [wrong, [info, code]] of Object.entries(INFOS)) {
  Deno.test(`object info with ${wrong} answers ${code} and harms nobody`, async () => {
    await using given = await withVictim();
    const { store } = given;
    await publish(given, info);
    await rejects(
      store.getObject(bucket, key, () => "all"),
      { code },
    );
    const page = await store.listObjects(bucket, {
      prefix: "",
      delimiter: "",
      after: "",
      limit: 10,
    });
    // What cannot be read is listed, so that it can be deleted.
    const shown = code === "NoSuchKey" ? ["victim"] : ["evil", "victim"];
    deepStrictEqual(page.objects.map(({ key }) => key as string), shown);
    await store.deleteObject(bucket, key, { precondition: {} });
    await rejects(store.readObject(bucket, key), { code: "NoSuchKey" });
    await store.putObject(bucket, key, input(someBytes(3)));
    strictEqual((await read(store, bucket, key)).bytes.length, 3);

    await new Promise((resolve) => setTimeout(resolve, 1100));
    await store.freeReplaced(bucket);
    await store.sweep(bucket, { minAge: 0, dryRun: false });
    ok(sameBytes((await read(store, bucket, victim)).bytes, bytes));
  });
}

Deno.test("a seek table that points at another object's chunks shows none of them", async () => {
  await using given = await withVictim();
  const { metadata } = given.info as { metadata: Record<string, string> };
  await publish(given, {
    ...given.info,
    name: "evil",
    nuid: "abc",
    metadata: { "s3.seek": metadata["s3.seek"] },
  });
  await rejects(given.store.getObject(bucket, key, () => "all"), { code: "InternalError" });
  await rejects(given.store.getObject(bucket, key, () => ({ start: 5, end: 9 })), {
    code: "InternalError",
  });
});

Deno.test("a wrong digest breaks a long read before its last bytes", async () => {
  await using given = await withVictim();
  await publish(
    given,
    { ...given.info, digest: `SHA-256=${Buffer.alloc(32).toString("base64url")}=` },
    "victim",
  );
  const { body } = await given.store.getObject(bucket, victim, () => "all");
  ok(body instanceof ReadableStream);
  let received = 0;
  await rejects(async () => {
    for await (const piece of body) received += piece.length;
  }, /digest/);
  ok(received < bytes.length);
});

Deno.test("metadata of almost a message's size is no answer's headers", async () => {
  await using given = await withVictim();
  await publish(given, {
    ...given.info,
    metadata: { "x-amz-meta-long": "x".repeat(900_000) },
  }, "victim");
  await rejects(given.store.readObject(bucket, victim), { code: "InternalError" });
  await rejects(given.store.deleteBucket(bucket), { code: "BucketNotEmpty" });
});

Deno.test("a subject that is no key is not listed", async () => {
  await using given = await withVictim();
  for (const token of ["not+base64", "_w==", "dg", "====", "a.b"]) {
    await given.connection.request(`$O.hostile.M.${token}`, JSON.stringify(good));
  }
  const page = await given.store.listObjects(bucket, {
    prefix: "",
    delimiter: "",
    after: "",
    limit: 10,
  });
  deepStrictEqual(page.objects.map(({ key }) => key), [victim]);
  ok(Object.keys(await subjectsOfStream(given.connection, "OBJ_hostile")).length > 5);
  await given.store.deleteObject(bucket, victim, { precondition: {} });
  await rejects(given.store.deleteBucket(bucket), { code: "BucketNotEmpty" });
});
