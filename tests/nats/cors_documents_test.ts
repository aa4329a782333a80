/** CORS configurations on JetStream: two gateways, full buckets, and records that others wrote. */

import { rejects, strictEqual } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { isS3Error } from "../../src/s3/errors.ts";
import { openStore } from "./store_on_server.ts";

const BUCKET = "photos" as BucketName;

async function until(passes: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; !await passes();) {
    if (Date.now() > deadline) throw new Error(`The condition never became true: ${passes}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test("a change of a document is in force on another gateway soon, also of one that read that there was none", async () => {
  await using server = await startNatsServer();
  await using one = await openStore(server.url);
  await using two = await openStore(server.url);
  await one.store.createBucket(BUCKET, "alice");
  const read = (): Promise<string | undefined> => two.store.readDocument(BUCKET, "cors");
  strictEqual(await read(), undefined);
  await one.store.putDocument(BUCKET, "cors", "first");
  await until(async () => await read() === "first");
  await one.store.putDocument(BUCKET, "cors", "second");
  await until(async () => await read() === "second");
  await one.store.deleteDocument(BUCKET, "cors");
  await until(async () => await read() === undefined);
});

Deno.test("a document that nobody can read is not absent", async () => {
  await using server = await startNatsServer();
  await using opened = await openStore(server.url);
  const { store, connection } = opened;
  await store.createBucket(BUCKET, "alice");
  await store.putDocument(BUCKET, "cors", "text");
  const subject = "$O.photos.S3.bucket.cors";
  await connection.request(subject, "x".repeat(600_000));
  await connection.request("$O.photos.S3.bucket.rev", "");
  await until(async () => {
    return await store.readDocument(BUCKET, "cors").then(
      () => false,
      (cause) => isS3Error(cause, "InternalError"),
    );
  });
  await rejects(store.readDocument(BUCKET, "cors"), /cannot be read/);
  await store.deleteDocument(BUCKET, "cors");
  strictEqual(await store.readDocument(BUCKET, "cors"), undefined);
});
