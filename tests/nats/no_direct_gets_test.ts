/** Streams that answer no direct gets: `allow_direct` is off, or was switched off a moment ago. */

import { ok } from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  someBytes,
  type StoreOnServer,
  storeOnServer,
} from "./store_on_server.ts";

const bucket = "leader" as BucketName;
const MIB = 1024 * 1024;

async function setDirect({ connection }: StoreOnServer, allow_direct: boolean): Promise<void> {
  const manager = await jetstreamManager(connection);
  const { config } = await manager.streams.info(`OBJ_${bucket}`);
  await manager.streams.update(`OBJ_${bucket}`, { ...config, allow_direct });
}

Deno.test("objects are read without allow_direct: of the gateway, native ones, in parts, and listed", async () => {
  await using given = await storeOnServer({ store: { indexMemory: 64 * MIB } });
  const { store, native } = given;
  await store.createBucket(bucket, "alice");
  const bytes = someBytes(3 * MIB);
  await store.putObject(bucket, "own" as ObjectKey, input(bytes));
  await (await native.open(bucket)).putBlob({ name: "native" }, bytes);
  // The gateway remembers for some seconds that the stream answers; another one learns at once that it does not.
  await setDirect(given, false);
  await using other = await openStore(given.server.url);
  for (const reader of [store, other.store]) {
    for (const name of ["own", "native"]) {
      const key = name as ObjectKey;
      ok(sameBytes((await read(reader, bucket, key)).bytes, bytes), name);
      const part = await read(reader, bucket, key, { start: 2 * MIB, end: 2 * MIB + 9 });
      ok(sameBytes(part.bytes, bytes.subarray(2 * MIB, 2 * MIB + 10)), name);
    }
  }
  await setDirect(given, true);
  ok(sameBytes((await read(other.store, bucket, "own" as ObjectKey)).bytes, bytes));
});
