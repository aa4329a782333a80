/** A server that loses the rollup of a deletion in a power failure has the older message behind the tombstone. */

import { deepStrictEqual, rejects } from "node:assert/strict";
import { infoSubject, records } from "../../src/nats/layout/subjects.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import type { VersionId } from "../../src/s3/version_id.ts";
import { bucket, key as named } from "../contract/inputs.ts";
import { input, someBytes, storeOnServer } from "./store_on_server.ts";

const key = named("key");
const store = bucket as string as StoreName;
const SWEEP = { minAge: 0, uploadExpiry: 0, dryRun: false };

Deno.test("the sweep removes what is behind a tombstone, so that it does not come back, and its bytes", async () => {
  await using given = await storeOnServer();
  const { connection } = given;
  const api = async (call: string, body: unknown): Promise<unknown> =>
    (await connection.request(`$JS.API.${call}`, JSON.stringify(body))).json();
  const last = async (subject: string): Promise<Uint8Array> =>
    (await connection.request(`$JS.API.DIRECT.GET.OBJ_${bucket}.${subject}`, "")).data;
  const count = async (filter: string): Promise<number> => {
    const found = await api(`STREAM.INFO.OBJ_${bucket}`, { subjects_filter: filter });
    const { state } = found as { readonly state: { readonly subjects?: Record<string, number> } };
    return Object.values(state.subjects ?? {}).reduce((sum, one) => sum + one, 0);
  };
  for (const what of ["object info", "a version"] as const) {
    const documents = new Map(what === "a version" ? [["versioning" as const, "Enabled"]] : []);
    await given.store.createBucket(bucket, "alice", { documents });
    const { versionId = "" as VersionId } = await given.store.putObject(
      bucket,
      key,
      input(someBytes(100)),
    );
    if (what === "a version") await given.store.putObject(bucket, key, input(someBytes(5)));
    const subject = what === "a version"
      ? records.version(store, key, versionId)
      : infoSubject(store, key);
    const before = await last(subject);
    const chunks = await count(`$O.${bucket}.C.>`);
    const removed = what === "a version" ? versionId : undefined;
    await given.store.deleteObject(bucket, key, { precondition: {}, versionId: removed });
    const tombstone = await last(subject);
    await connection.request(subject, before);
    await connection.request(`$O.${bucket}.C.${nuidIn(before)}`, someBytes(100));
    await connection.request(subject, tombstone);
    deepStrictEqual([await count(subject), await count(`$O.${bucket}.C.>`)], [2 + 1, chunks], what);
    await given.store.sweep(bucket, SWEEP);
    deepStrictEqual(await count(subject), 1, what);
    await given.store.sweep(bucket, SWEEP);
    deepStrictEqual(await count(`$O.${bucket}.C.>`), chunks - 1, what);
    await api(`STREAM.PURGE.OBJ_${bucket}`, { filter: subject }); // as when the tombstone expires
    await rejects(given.store.readObject(bucket, key, { versionId: removed }), what);
    await given.store.deleteBucket(bucket).catch(() => {});
    await api(`STREAM.DELETE.OBJ_${bucket}`, {});
  }
});

function nuidIn(data: Uint8Array): string {
  const text = new TextDecoder().decode(data).replaceAll("\\", "");
  return /"nuid":"([^"]+)"/.exec(text)?.[1] ?? "";
}
