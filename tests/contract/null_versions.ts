/**
 * The promises about versioning that is suspended, and about the version `null`.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { NULL_VERSION } from "../../src/s3/version_id.ts";
import { bucket, completion, key, KIB, pattern } from "./inputs.ts";
import { list, put, rejectsWith, sameBytes, text, upload } from "./steps.ts";
import type { Test } from "./store_under_test.ts";
import {
  history,
  idOf,
  inVersionedBucket,
  isGone,
  putVersion,
  rejectsWithMarker,
  remove,
  setVersioning,
  textOf,
} from "./version_steps.ts";

/** Registers the tests of this file. */
export function nullVersionContract(test: Test): void {
  const versioned = inVersionedBucket(test);

  versioned("writes the version null while versioning is suspended", async ({ store }) => {
    const first = await putVersion(store, "k", pattern(300 * KIB));
    await setVersioning(store, "Suspended");
    for (const data of ["a", "b"]) {
      strictEqual(await putVersion(store, "k", data), NULL_VERSION);
      strictEqual(await text(store, "k"), data);
      strictEqual((await store.readObject(bucket, key("k"))).versionId, NULL_VERSION);
      deepStrictEqual(await history(store, "k"), ["null", first]);
    }
    const { id, parts } = await upload(store, "k", ["c"]);
    const info = await store.completeUpload(bucket, key("k"), id, completion(parts));
    strictEqual(info.versionId, NULL_VERSION);
    deepStrictEqual(await history(store, "k"), ["null", first]);
    strictEqual(await textOf(store, "k", NULL_VERSION), "c");
    await sameBytes(
      await store.getObject(bucket, key("k"), () => "all", { versionId: first }),
      pattern(300 * KIB),
    );
  });

  versioned("keeps the version null when versioning goes on", async ({ store }) => {
    const first = await putVersion(store, "k", "first");
    await setVersioning(store, "Suspended");
    await put(store, "k", "null");
    await setVersioning(store, "Enabled");
    const last = await putVersion(store, "k", "last");
    deepStrictEqual(await history(store, "k"), [last, "null", first]);
    strictEqual(await textOf(store, "k", NULL_VERSION), "null");
    strictEqual(await text(store, "k"), "last");

    await setVersioning(store, "Suspended");
    await put(store, "k", "another");
    deepStrictEqual(await history(store, "k"), ["null", last, first]);
    strictEqual(await text(store, "k"), "another");
  });

  test("replaces what was written before versioning", async ({ store }) => {
    await put(store, "k", "before");
    await put(store, "deleted", "before");
    await setVersioning(store, "Enabled");
    const id = await putVersion(store, "k", "version");
    await setVersioning(store, "Suspended");
    await put(store, "k", "after");
    deepStrictEqual(await history(store, "k"), ["null", id]);
    strictEqual(await textOf(store, "k", NULL_VERSION), "after");
    deepStrictEqual(await remove(store, "deleted"), { versionId: NULL_VERSION, isMarker: true });
    deepStrictEqual(await history(store, "deleted"), ["-null"]);
  });

  versioned("leaves the delete marker null, in place of the version null", async ({ store }) => {
    const first = await putVersion(store, "k", "first");
    await setVersioning(store, "Suspended");
    const read = (): Promise<unknown> => store.readObject(bucket, key("k"));
    const deleted = { versionId: NULL_VERSION, isMarker: true };
    // The first replaces nothing, the second a marker.
    for (let i = 0; i < 2; i++) {
      deepStrictEqual(await remove(store, "k"), deleted);
      deepStrictEqual(await history(store, "k"), ["-null", first]);
      await rejectsWithMarker("NoSuchKey", NULL_VERSION, read());
    }
    await put(store, "k", "null");
    deepStrictEqual(await history(store, "k"), ["null", first]);
    strictEqual(await text(store, "k"), "null");
    await remove(store, "k");
    await rejectsWithMarker(
      "MethodNotAllowed",
      NULL_VERSION,
      store.readObject(bucket, key("k"), { versionId: NULL_VERSION }),
    );
    deepStrictEqual((await list(store)).keys, []);
    strictEqual(await textOf(store, "k", first), "first");

    deepStrictEqual(await remove(store, "none"), deleted);
    deepStrictEqual(await history(store, "none"), ["-null"]);

    deepStrictEqual(await remove(store, "k", { versionId: NULL_VERSION }), deleted);
    strictEqual(await text(store, "k"), "first");
    await remove(store, "none", { versionId: NULL_VERSION });
    await isGone(store, "none");
  });

  versioned("removes the version null, current or not", async ({ store }) => {
    const first = await putVersion(store, "k", "first");
    const versionId = NULL_VERSION;
    const writeNull = async (): Promise<void> => {
      await setVersioning(store, "Suspended");
      await put(store, "k", "null");
    };
    const removed = { versionId, isMarker: false };
    await writeNull();
    deepStrictEqual(await remove(store, "k", { versionId }), removed);
    deepStrictEqual(await history(store, "k"), [first]);
    strictEqual(await text(store, "k"), "first");
    await writeNull();
    await setVersioning(store, "Enabled");
    const last = await putVersion(store, "k", "last");
    deepStrictEqual(await remove(store, "k", { versionId }), removed);
    deepStrictEqual(await history(store, "k"), [last, first]);
    await rejectsWith("NoSuchVersion", store.readObject(bucket, key("k"), { versionId }));
    await setVersioning(store, "Suspended");
    for (const id of [last, first]) await remove(store, "k", { versionId: id });
    await isGone(store, "k");
  });

  versioned("makes the version null current again", async ({ store }) => {
    await setVersioning(store, "Suspended");
    const before = await put(store, "k", pattern(300 * KIB), { algorithm: "CRC32" });
    await setVersioning(store, "Enabled");
    const versionId = await putVersion(store, "k", "newer");
    const marker = idOf(await remove(store, "k"));
    await remove(store, "k", { versionId });
    await remove(store, "k", { versionId: marker });
    const content = await store.getObject(bucket, key("k"), () => "all");
    deepStrictEqual(content.info, before);
    await sameBytes(content, pattern(300 * KIB));
    deepStrictEqual(await history(store, "k"), ["null"]);
    // It is still the only one, so that a write in its place leaves nothing of it.
    await setVersioning(store, "Suspended");
    await put(store, "k", "again");
    deepStrictEqual(await history(store, "k"), ["null"]);
    strictEqual(await text(store, "k"), "again");
  });

  versioned("keeps times of the version null in order", async ({ store }) => {
    const first = await put(store, "k", "first");
    await setVersioning(store, "Suspended");
    const second = await put(store, "k", "second");
    await remove(store, "k");
    const third = await put(store, "k", "third");
    ok(first.modified <= second.modified && second.modified <= third.modified);
  });
}
