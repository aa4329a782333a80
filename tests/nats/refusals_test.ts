/** JetStream refuses: a permission is missing, a stream is sealed or edited by hand. Nothing is done by halves. */

import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { connect } from "@nats-io/transport-node";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { S3Error } from "../../src/s3/errors.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import {
  input,
  read,
  sameBytes,
  someBytes,
  STORE_OPTIONS,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";

const bucket = "refused" as BucketName;
const key = "k" as ObjectKey;

/** What each missing permission makes impossible: the operation, and the subject that the log names. */
const DENIED: Readonly<Record<string, readonly [operation: string, subject: RegExp]>> = {
  "$O.*.C.>": ["put", /\$O\.refused\.C\./],
  "$O.*.M.>": ["put", /\$O\.refused\.M\./],
  "$JS.API.STREAM.INFO.>": ["list", /STREAM\.INFO\.OBJ_refused/],
  "$JS.API.CONSUMER.CREATE.>": ["list", /CONSUMER\.CREATE\.OBJ_refused/],
  "$JS.API.DIRECT.GET.>": ["get", /DIRECT\.GET\.OBJ_refused/],
  "$JS.API.STREAM.CREATE.>": ["create", /STREAM\.CREATE/],
  "$JS.API.STREAM.LIST": ["buckets", /STREAM\.LIST/],
};

for (const [denied, [operation, subject]] of Object.entries(DENIED)) {
  Deno.test(`without permission for "${denied}" ${operation} answers 503 at once, and the rest goes on`, async () => {
    await using server = await startNatsServer({
      config: `
        authorization { users = [
          { user: admin, password: x }
          { user: gateway, password: x, permissions: {
            publish: { deny: [${JSON.stringify(denied)}] }
          } }
        ] }`,
    });
    const login = { servers: server.url, pass: "x" };
    const admin = await connect({ ...login, user: "admin" });
    const gateway = await connect({ ...login, user: "gateway" });
    try {
      using full = createNatsStore(admin, STORE_OPTIONS);
      using store = createNatsStore(gateway, STORE_OPTIONS);
      await full.createBucket(bucket, "alice");
      await full.putObject(bucket, key, input(someBytes(9)));
      const before = Object.keys(await subjectsOfStream(admin, "OBJ_refused"));

      const operations: Readonly<Record<string, () => Promise<unknown>>> = {
        put: () => store.putObject(bucket, key, input(someBytes(400_000))),
        list: () => store.listObjects(bucket, { prefix: "", delimiter: "", after: "", limit: 9 }),
        get: () => store.getObject(bucket, key, () => "all"),
        create: () => store.createBucket("another" as BucketName, "alice"),
        buckets: () => store.listBuckets(),
      };
      const began = performance.now();
      await rejects(operations[operation]?.() ?? Promise.resolve(), (error: S3Error) => {
        strictEqual(error.code, "ServiceUnavailable");
        match(String((error.cause as Error).message), subject);
        return true;
      });
      ok(performance.now() - began < 3000, "no time-out was waited for");
      const after = Object.keys(await subjectsOfStream(admin, "OBJ_refused"));
      deepStrictEqual(after.filter((subject) => subject !== "$O.refused.S3.sync"), before);
      strictEqual((await read(full, bucket, key)).bytes.length, 9);
    } finally {
      await admin.close();
      await gateway.close();
    }
  });
}

Deno.test("a sealed bucket is read and listed, and refuses writes until it is made again", async () => {
  await using given = await storeOnServer();
  const { store, native } = given;
  const objects = await native.create("refused");
  const bytes = someBytes(300_000);
  await objects.putBlob({ name: "k" }, bytes);
  await objects.seal();
  ok(sameBytes((await read(store, bucket, key)).bytes, bytes));
  for (
    const write of [
      () => store.putObject(bucket, key, input(bytes)),
      () => store.deleteObject(bucket, key, { precondition: {} }),
      () =>
        store.createUpload(bucket, key, {
          properties: input(bytes).properties,
          owner: "alice",
          algorithm: undefined,
          checksumType: undefined,
        }),
    ]
  ) {
    await rejects(write, (error: S3Error) => {
      ok(["InvalidRequest", "AccessDenied"].includes(error.code), error.code);
      return true;
    });
  }
  ok(sameBytes((await read(store, bucket, key)).bytes, bytes));
  const page = await store.listObjects(bucket, { prefix: "", delimiter: "", after: "", limit: 9 });
  strictEqual(page.objects.length, 1);
});

Deno.test("a stream whose records' subject was removed by hand is healed at the next write", async () => {
  await using given = await storeOnServer();
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, key, input(someBytes(300_000)));
  const { config } = (await connection.request("$JS.API.STREAM.INFO.OBJ_refused"))
    .json<{ config: { subjects: string[] } }>();
  await connection.request(
    "$JS.API.STREAM.UPDATE.OBJ_refused",
    JSON.stringify({
      ...config,
      subjects: config.subjects.filter((subject) => !subject.includes(".S3.")),
    }),
  );
  using other = createNatsStore(connection, STORE_OPTIONS);
  strictEqual((await read(other, bucket, key)).bytes.length, 300_000);
  await other.putObject(bucket, key, input(someBytes(6)));
  const subjects = Object.keys(await subjectsOfStream(connection, "OBJ_refused"));
  ok(subjects.some((subject) => subject.includes(".S3.trash.")), subjects.join());
});

Deno.test("a bucket of a newer layout is left alone", async () => {
  await using given = await storeOnServer();
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, key, input(someBytes(5)));
  await connection.request("$O.refused.S3.bucket.layout", JSON.stringify({ version: 9 }));
  using other = createNatsStore(connection, STORE_OPTIONS);
  for (
    const call of [
      () => other.readObject(bucket, key),
      () => other.putObject(bucket, key, input(someBytes(6))),
      () => other.deleteBucket(bucket),
    ]
  ) await rejects(call, { code: "InternalError", message: /layout version 9/ });
});
