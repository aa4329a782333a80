/**
 * The promises about tags of versions, and about renames where there are versions.
 * @module
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { S3Error } from "../../src/s3/errors.ts";
import { NULL_VERSION } from "../../src/s3/version_id.ts";
import type { ObjectInfo } from "../../src/store/objects.ts";
import { bucket, key, KIB, pattern, plain } from "./inputs.ts";
import { put, rejectsWith, sameBytes, text } from "./steps.ts";
import type { Test } from "./store_under_test.ts";
import {
  history,
  idOf,
  inVersionedBucket,
  pageOf,
  rejectsWithMarker,
  remove,
  setVersioning,
  UNKNOWN,
} from "./version_steps.ts";

/** Registers the tests of this file. */
export function versionPropertyContract(test: Test): void {
  const versioned = inVersionedBucket(test);

  versioned("replaces the tags of one version, and nothing else", async ({ store }) => {
    const infos: ObjectInfo[] = [];
    for (const size of [300 * KIB, 10, 0]) {
      const properties = { ...plain, tags: { size: `${size}` } };
      infos.push(await put(store, "k", pattern(size), { properties, algorithm: "CRC32" }));
    }
    const ids = infos.map(idOf);
    const listed = await pageOf(store);
    for (const [i, info] of infos.entries()) {
      const versionId = ids[i];
      const tags = { tagged: `${i}` };
      const written = await store.putObjectTags(bucket, key("k"), tags, { versionId });
      deepStrictEqual(written, { versionId });
      infos[i] = { ...info, properties: { ...info.properties, tags } };
      for (const expected of infos) {
        const { versionId, size } = expected;
        const content = await store.getObject(bucket, key("k"), () => "all", { versionId });
        deepStrictEqual(content.info, expected);
        await sameBytes(content, pattern(size));
      }
    }
    deepStrictEqual(await pageOf(store), listed);
    deepStrictEqual(await store.readObject(bucket, key("k")), infos.at(-1));

    const written = await store.putObjectTags(bucket, key("k"), { current: "yes" });
    deepStrictEqual(written, { versionId: ids.at(-1) });
    const { properties } = await store.readObject(bucket, key("k"), { versionId: ids.at(-1) });
    deepStrictEqual(properties.tags, { current: "yes" });
  });

  versioned("keeps the tags of a version that becomes current again", async ({ store }) => {
    const versionId = idOf(await put(store, "k", "a"));
    const newer = idOf(await put(store, "k", "b"));
    await store.putObjectTags(bucket, key("k"), { a: "b" }, { versionId });
    await remove(store, "k", { versionId: newer });
    const { properties } = await store.readObject(bucket, key("k"));
    deepStrictEqual(properties.tags, { a: "b" });
  });

  test("replaces the tags of the version null", async ({ store }) => {
    await put(store, "k", "before");
    await setVersioning(store, "Enabled");
    await put(store, "k", "after");
    const versionId = NULL_VERSION;
    const written = await store.putObjectTags(bucket, key("k"), { a: "b" }, { versionId });
    deepStrictEqual(written, { versionId });
    const { properties } = await store.readObject(bucket, key("k"), { versionId });
    deepStrictEqual(properties.tags, { a: "b" });
    deepStrictEqual((await store.readObject(bucket, key("k"))).properties.tags, {});
  });

  versioned("lets a check see the version before its tags change", async ({ store }) => {
    const versions = [await put(store, "k", "a"), await put(store, "k", "b")];
    for (const expected of versions) {
      const { versionId } = expected;
      const refuse = (info: ObjectInfo): never => {
        deepStrictEqual(info, expected);
        throw new S3Error("AccessDenied");
      };
      const options = { versionId, check: refuse };
      const call = store.putObjectTags(bucket, key("k"), { a: "b" }, options);
      await rejectsWith("AccessDenied", call);
      deepStrictEqual(await store.readObject(bucket, key("k"), { versionId }), expected);
    }
  });

  versioned("puts no tags on a delete marker or an unknown version", async ({ store }) => {
    await put(store, "k", "a");
    const versionId = idOf(await remove(store, "k"));
    const tag = (options: { versionId?: typeof versionId }): Promise<unknown> =>
      store.putObjectTags(bucket, key("k"), { a: "b" }, options);
    await rejectsWithMarker("NoSuchKey", versionId, tag({}));
    await rejectsWithMarker("MethodNotAllowed", versionId, tag({ versionId }));
    await rejectsWith("NoSuchVersion", tag({ versionId: UNKNOWN }));
    await rejectsWith("NoSuchVersion", tag({ versionId: NULL_VERSION }));
    strictEqual((await history(store, "k")).length, 2);
  });

  test("renames nothing in a bucket that has or had versioning", async ({ store }) => {
    await put(store, "a", "kept");
    const rename = (source: string): Promise<unknown> =>
      store.renameObject(bucket, key(source), key("b"), {
        precondition: { source: {}, destination: {} },
      });
    await rename("a");
    for (const state of ["Enabled", "Suspended"] as const) {
      await setVersioning(store, state);
      for (const source of ["b", "none"]) await rejectsWith("InvalidBucketState", rename(source));
    }
    strictEqual(await text(store, "b"), "kept");
    deepStrictEqual(await history(store, "b"), ["null"]);
  });
}
