/** The permissions in NATS that docs/versions.md names keep native clients from destroying versions, and let them read. */

import { ok, rejects, strictEqual } from "node:assert/strict";
import { jetstream } from "@nats-io/jetstream";
import { Objm } from "@nats-io/obj";
import { connect } from "@nats-io/transport-node";
import { startNatsServer } from "../../scripts/nats_server.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import { input, someBytes, STORE_OPTIONS } from "./store_on_server.ts";

const bucket = "vault" as BucketName;
const key = "k" as ObjectKey;
const STREAM = "OBJ_vault";
/** As in docs/versions.md. */
const DENIED = [
  "$O.vault.>",
  "$JS.API.STREAM.PURGE.OBJ_vault",
  "$JS.API.STREAM.MSG.DELETE.OBJ_vault",
  "$JS.API.STREAM.DELETE.OBJ_vault",
  "$JS.API.STREAM.UPDATE.OBJ_vault",
  "$JS.API.STREAM.RESTORE.OBJ_vault",
];
const CONFIG = `authorization { users: [
  { user: gateway, password: secret },
  { user: tom, password: secret, permissions: { publish: { deny: ${JSON.stringify(DENIED)} } } }
] }`;

Deno.test("a native client without these permissions destroys no version, and reads the current one", async () => {
  await using server = await startNatsServer({ config: CONFIG });
  const [gateway, tom] = await Promise.all(
    ["gateway", "tom"].map((user) => connect({ servers: server.url, user, pass: "secret" })),
  );
  ok(gateway !== undefined && tom !== undefined);
  const store = createNatsStore(gateway, STORE_OPTIONS);
  try {
    await store.createBucket(bucket, "alice", {
      documents: new Map([["versioning", "Enabled"]] as const),
    });
    const first = await store.putObject(bucket, key, input(someBytes(1000)));
    const second = await store.putObject(bucket, key, input(someBytes(2000)));

    const timeout = 1000;
    const native = await new Objm(jetstream(tom, { timeout })).open("vault");
    strictEqual((await native.getBlob(key))?.length, 2000);
    await rejects(native.putBlob({ name: key }, someBytes(10)));
    await rejects(native.delete(key));
    await rejects(native.destroy());
    const api: Readonly<Record<string, unknown>> = {
      [`STREAM.PURGE.${STREAM}`]: {},
      [`STREAM.MSG.DELETE.${STREAM}`]: { seq: 1 },
      [`STREAM.DELETE.${STREAM}`]: {},
      [`STREAM.UPDATE.${STREAM}`]: { name: STREAM, max_age: 1_000_000_000 },
      [`STREAM.RESTORE.${STREAM}`]: {},
    };
    for (const [call, body] of Object.entries(api)) {
      await rejects(tom.request(`$JS.API.${call}`, JSON.stringify(body), { timeout: 500 }), call);
    }
    const records = ["M.aw==", `S3.version.aw==.${first.versionId}`, "S3.bucket.versioning"];
    for (const record of records) {
      await rejects(tom.request(`$O.vault.${record}`, "", { timeout: 500 }), record);
    }

    for (const { versionId, size } of [first, second]) {
      const { body } = await store.getObject(bucket, key, () => "all", { versionId });
      strictEqual(body instanceof Uint8Array && body.length, size);
    }
    strictEqual((await store.readObject(bucket, key)).versionId, second.versionId);
  } finally {
    store[Symbol.dispose]();
    await Promise.all([gateway.close(), tom.close()]);
  }
});
