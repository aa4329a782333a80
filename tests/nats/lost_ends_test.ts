/** A server that loses its last messages has an object, and its upload as it was before: the parts belong to the object. */

import { ok, rejects } from "node:assert/strict";
import type { ObjectKey } from "../../src/s3/names.ts";
import type { DocumentKind } from "../../src/store/documents.ts";
import type { Store } from "../../src/store/store.ts";
import {
  bucket,
  completion,
  key as named,
  part,
  partInput,
  uploadInput,
} from "../contract/inputs.ts";
import { input, sameBytes, someBytes, storeOnServer } from "./store_on_server.ts";

const BYTES = someBytes(1000);
const key = named("key");

/** What has become of the object before its upload ends again. */
const CHANGES = ["nothing", "a rename", "a new version", "a delete marker"] as const;

Deno.test("an object keeps its parts if the end of its upload is lost", async () => {
  await using given = await storeOnServer();
  const { store, connection } = given;
  const subject = (id: string): string => `$O.${bucket}.S3.upload.${id}`;
  for (const change of CHANGES) {
    const isVersioned = change === "a new version" || change === "a delete marker";
    const documents = new Map<DocumentKind, string>(isVersioned ? [["versioning", "Enabled"]] : []);
    for (const isSwept of [true, false]) {
      const what = `${change}, then ${isSwept ? "the sweep" : "an abort"}`;
      await store.createBucket(bucket, "alice", { documents });
      const id = await store.createUpload(bucket, key, uploadInput());
      const open = await connection.request(`$JS.API.DIRECT.GET.OBJ_${bucket}.${subject(id)}`, "");
      const put = await store.putPart(bucket, key, id, part(1), partInput(BYTES));
      const { versionId } = await store.completeUpload(bucket, key, id, completion([put]));
      await connection.request(subject(id), open.data);
      let now: ObjectKey = key;
      if (change === "a rename") {
        now = named("other");
        const precondition = { source: {}, destination: {} };
        await store.renameObject(bucket, key, now, { precondition });
      } else if (change === "a new version") {
        await store.putObject(bucket, key, input(someBytes(5)));
      } else if (change === "a delete marker") {
        await store.deleteObject(bucket, key, { precondition: {} });
      }
      if (isSwept) await store.sweep(bucket, { minAge: 0, uploadExpiry: 0, dryRun: false });
      else await rejects(store.abortUpload(bucket, key, id), { code: "NoSuchUpload" }, what);
      const { body } = await store.getObject(bucket, now, () => "all", { versionId });
      ok(sameBytes(await new Response(body).bytes(), BYTES), what);
      await emptyBucket(store);
      await store.deleteBucket(bucket);
    }
  }
});

async function emptyBucket(store: Store): Promise<void> {
  const query = { prefix: "", delimiter: "", afterKey: "", afterVersion: undefined, limit: 10 };
  const { versions } = await store.listVersions(bucket, query);
  for (const { key, versionId } of versions) {
    await store.deleteObject(bucket, key as ObjectKey, { precondition: {}, versionId });
  }
}
