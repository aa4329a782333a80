/**
 * The promises about versions that are removed for good.
 * @module
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { NULL_VERSION, type VersionId } from "../../src/s3/version_id.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { bucket, key, KIB, OWNER, pattern } from "./inputs.ts";
import { list, put, rejectsWith, sameBytes, text } from "./steps.ts";
import type { Test } from "./store_under_test.ts";
import {
  history,
  idOf,
  inVersionedBucket,
  isGone,
  pageOf,
  putVersion,
  rejectsWithMarker,
  remove,
  setVersioning,
  textOf,
  UNKNOWN,
} from "./version_steps.ts";

/** Registers the tests of this file. */
export function versionRemovalContract(test: Test): void {
  const versioned = inVersionedBucket(test);

  versioned("brings an object back when its delete marker is removed", async ({ store }) => {
    const before = await put(store, "k", pattern(300 * KIB), { algorithm: "CRC32" });
    const versionId = idOf(await remove(store, "k"));
    deepStrictEqual(await remove(store, "k", { versionId }), { versionId, isMarker: true });
    deepStrictEqual(await store.readObject(bucket, key("k")), before);
    await sameBytes(
      await store.getObject(bucket, key("k"), () => "all"),
      pattern(300 * KIB),
    );
    deepStrictEqual((await list(store)).keys, ["k"]);
    deepStrictEqual(await history(store, "k"), [idOf(before)]);
    await rejectsWith("NoSuchVersion", store.readObject(bucket, key("k"), { versionId }));
  });

  versioned("removes a version for good, in any order", async ({ store }) => {
    const orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]];
    for (const [i, order] of orders.entries()) {
      const name = `k${i}`;
      const ids: VersionId[] = [];
      for (const data of ["a", "b", "c", "d"]) ids.push(await putVersion(store, name, data));
      const left = new Set(ids);
      for (const at of order) {
        const versionId = ids[at];
        const expected = { versionId, isMarker: false };
        deepStrictEqual(await remove(store, name, { versionId }), expected);
        if (versionId !== undefined) left.delete(versionId);
        deepStrictEqual(await history(store, name), [...left].reverse());
        await rejectsWith("NoSuchVersion", store.readObject(bucket, key(name), { versionId }));
        for (const id of left) {
          strictEqual(await textOf(store, name, id), "abcd"[ids.indexOf(id)]);
        }
        const latest = [...left].at(-1);
        if (latest === undefined) continue;
        strictEqual((await store.readObject(bucket, key(name))).versionId, latest);
        strictEqual(await text(store, name), "abcd"[ids.indexOf(latest)]);
      }
      await isGone(store, name);
    }
    deepStrictEqual((await list(store)).keys, []);
  });

  versioned("makes a delete marker current again", async ({ store }) => {
    await put(store, "k", "a");
    const marker = idOf(await remove(store, "k"));
    const versionId = await putVersion(store, "k", "b");
    await remove(store, "k", { versionId });
    await rejectsWithMarker("NoSuchKey", marker, store.readObject(bucket, key("k")));
    deepStrictEqual((await list(store)).keys, []);
  });

  versioned("removes a version again, or an unknown one, without an error", async ({ store }) => {
    const versionId = await putVersion(store, "k", "a");
    const kept = await putVersion(store, "k", "b");
    for (let i = 0; i < 2; i++) await remove(store, "k", { versionId });
    await remove(store, "k", { versionId: UNKNOWN });
    await remove(store, "k", { versionId: NULL_VERSION });
    await remove(store, "none", { versionId: UNKNOWN });
    deepStrictEqual(await history(store, "k"), [kept]);
    await isGone(store, "none");
  });

  versioned("gives versions after a removal ids that are new and later", async ({ store }) => {
    const seen = new Set<string>();
    const first = await putVersion(store, "k", "first");
    for (let i = 0; i < 4; i++) {
      const versionId = await putVersion(store, "k", "x");
      strictEqual(seen.has(versionId), false);
      seen.add(versionId);
      deepStrictEqual(await history(store, "k"), [versionId, first]);
      await remove(store, "k", { versionId });
    }
    await remove(store, "k", { versionId: first });
    const again = await putVersion(store, "k", "again");
    strictEqual(seen.has(again) || again === first, false);
    deepStrictEqual(await history(store, "k"), [again]);
  });

  test("removes what was written before versioning", async ({ store }) => {
    await put(store, "k", "before");
    await setVersioning(store, "Enabled");
    const id = await putVersion(store, "k", "after");
    const versionId = NULL_VERSION;
    deepStrictEqual(await remove(store, "k", { versionId }), { versionId, isMarker: false });
    deepStrictEqual(await history(store, "k"), [id]);
    strictEqual(await text(store, "k"), "after");
    await put(store, "other", "x");
    await remove(store, "k", { versionId: id });
    await isGone(store, "k");
  });

  versioned("keeps a bucket that has a version or a delete marker", async ({ store }) => {
    const version = await putVersion(store, "k", "a");
    const marker = idOf(await remove(store, "k"));
    await rejectsWith("BucketNotEmpty", store.deleteBucket(bucket));
    await remove(store, "k", { versionId: version });
    await rejectsWith("BucketNotEmpty", store.deleteBucket(bucket));
    strictEqual((await history(store, "k")).length, 1);
    await remove(store, "k", { versionId: marker });
    await store.deleteBucket(bucket);
    await rejectsWith("NoSuchBucket", store.readBucket(bucket));
  });

  test("begins with versioning in a bucket that was created so", async ({ store }) => {
    const name = "from-the-start" as BucketName;
    await store.createBucket(name, OWNER, { documents: new Map([["versioning", "Enabled"]]) });
    strictEqual(await store.readDocument(name, "versioning"), "Enabled");
    const { isMarker } = await store.deleteObject(name, key("k"), { precondition: {} });
    strictEqual(isMarker, true);
  });

  test("asks for a bucket first", async ({ store }) => {
    const none = "missing" as BucketName;
    const versionId = UNKNOWN;
    const calls = [
      () => store.prepareVersioning(none),
      () => pageOf(store, {}, none),
      () => store.readObject(none, key("k"), { versionId }),
      () => store.deleteObject(none, key("k"), { versionId, precondition: {} }),
      () => store.putObjectTags(none, key("k"), {}, { versionId }),
      () => store.changeLock(none, key("k"), { kind: "hold", legalHold: true }),
    ];
    for (const call of calls) await rejectsWith("NoSuchBucket", call());
  });
}
