/** A locked version `null` that a native client overwrote is preserved under a version id of its own, and once. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Objm } from "@nats-io/obj";
import { createNatsStore } from "../../src/nats/store.ts";
import { NULL_VERSION } from "../../src/s3/version_id.ts";
import { bucket, key as named } from "../contract/inputs.ts";
import { input, sameBytes, someBytes, STORE_OPTIONS, storeOnServer } from "./store_on_server.ts";

const key = named("key");
const WRITERS = 4;

Deno.test("gateways that preserve a locked version at the same time make one of it", async () => {
  await using given = await storeOnServer();
  const { store, connection } = given;
  const documents = new Map([["versioning", "Suspended"]] as const);
  await store.createBucket(bucket, "alice", { documents });
  await store.putObject(bucket, key, input(someBytes(10)));
  await store.putDocument(bucket, "versioning", "Enabled");
  const hold = { kind: "hold", legalHold: true } as const;
  await store.putObject(bucket, key, input(someBytes(20)));
  await store.changeLock(bucket, key, hold, { versionId: NULL_VERSION });
  await (await new Objm(connection).open(bucket)).putBlob({ name: key }, someBytes(30));

  const stores = Array.from({ length: WRITERS }, () => createNatsStore(connection, STORE_OPTIONS));
  try {
    // The version of the native client becomes null.
    await Promise.all(stores.map((one) => one.putObject(bucket, key, input(someBytes(40)))));
  } finally {
    for (const one of stores) one[Symbol.dispose]();
  }
  const query = { prefix: "", delimiter: "", afterKey: "", afterVersion: undefined, limit: 100 };
  const { versions } = await store.listVersions(bucket, query);
  const sizes = versions.map(({ size }) => size).sort();
  // The native client overwrote the version of 20 bytes.
  deepStrictEqual(sizes, [10, 30, ...Array(WRITERS).fill(40)]);
  const preserved = versions.find(({ size }) => size === 10);
  const { info, body } = await store.getObject(bucket, key, () => "all", preserved ?? {});
  strictEqual(info.legalHold, true);
  ok(sameBytes(await new Response(body).bytes(), someBytes(10)));
});
