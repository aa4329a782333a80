/**
 * The promises about versions that writes make.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { NULL_VERSION, readVersionId } from "../../src/s3/version_id.ts";
import { bucket, completion, key, KIB, MIN_PART_SIZE, pattern } from "./inputs.ts";
import { list, put, rejectsWith, sameBytes, text, upload } from "./steps.ts";
import type { Test } from "./store_under_test.ts";
import {
  history,
  idOf,
  inVersionedBucket,
  putVersion,
  rejectsWithMarker,
  remove,
  setVersioning,
  textOf,
  UNKNOWN,
} from "./version_steps.ts";

/** Registers the tests of this file. */
export function versionContract(test: Test): void {
  const versioned = inVersionedBucket(test);

  test("names no version in a bucket that never had versioning", async ({ store }) => {
    strictEqual((await put(store, "k", "a")).versionId, undefined);
    strictEqual((await put(store, "k", "b")).versionId, undefined);
    strictEqual((await store.readObject(bucket, key("k"))).versionId, undefined);
    deepStrictEqual(await store.putObjectTags(bucket, key("k"), { a: "b" }), {
      versionId: undefined,
    });
    deepStrictEqual(await history(store, "k"), ["null"]);
    const versionId = NULL_VERSION;
    strictEqual((await store.readObject(bucket, key("k"), { versionId })).versionId, undefined);
    strictEqual(await textOf(store, "k", versionId), "b");
    await rejectsWith(
      "NoSuchVersion",
      store.readObject(bucket, key("k"), { versionId: UNKNOWN }),
    );
    await rejectsWith("NoSuchVersion", store.readObject(bucket, key("none"), { versionId }));
    await remove(store, "k", { versionId: UNKNOWN });
    strictEqual(await text(store, "k"), "b");
    deepStrictEqual(await remove(store, "k"), { versionId: undefined, isMarker: false });
    deepStrictEqual(await remove(store, "k"), { versionId: undefined, isMarker: false });
    deepStrictEqual(await history(store, "k"), []);
    await put(store, "k", "c");
    await remove(store, "k", { versionId });
    deepStrictEqual(await history(store, "k"), []);
    await remove(store, "k", { versionId });
  });

  versioned("keeps every version with its bytes and properties", async ({ store }) => {
    const versions = [];
    for (const [i, size] of [300 * KIB, 0, 10, 300 * KIB, 10].entries()) {
      const bytes = pattern(size, i);
      const properties = {
        system: { contentType: `text/${i}` },
        user: { number: `${i}` },
        tags: { number: `${i}` },
      };
      const options = { properties, ...(i % 2 === 0 && { algorithm: "CRC32" as const }) };
      versions.push({ info: await put(store, "k", bytes, options), bytes });
    }
    const ids = versions.map(({ info }) => idOf(info));
    deepStrictEqual(ids, [...new Set(ids)].sort(), "ids sort in the order of the writes");
    for (const id of ids) strictEqual(readVersionId(id), id);
    deepStrictEqual(await history(store, "k"), [...ids].reverse());
    for (const { info, bytes } of [...versions, ...versions.slice(-1)]) {
      const { versionId } = info;
      deepStrictEqual(await store.readObject(bucket, key("k"), { versionId }), info);
      const content = await store.getObject(bucket, key("k"), () => "all", { versionId });
      deepStrictEqual(content.info, info);
      await sameBytes(content, bytes);
    }
    deepStrictEqual(await store.readObject(bucket, key("k")), versions.at(-1)?.info);
    deepStrictEqual((await list(store)).keys, ["k"]);
    await rejectsWith(
      "NoSuchVersion",
      store.getObject(bucket, key("k"), () => "all", { versionId: UNKNOWN }),
    );
    await rejectsWith(
      "NoSuchVersion",
      store.readObject(bucket, key("k"), { versionId: NULL_VERSION }),
    );
    const [versionId] = ids;
    await rejectsWith("NoSuchVersion", store.readObject(bucket, key("another"), { versionId }));
  });

  versioned("reads a range of a version", async ({ store }) => {
    const bytes = pattern(300 * KIB, 1);
    const versionId = await putVersion(store, "k", bytes);
    await put(store, "k", pattern(300 * KIB, 2));
    const range = { start: 100 * KIB, end: 200 * KIB };
    const content = await store.getObject(bucket, key("k"), () => range, { versionId });
    deepStrictEqual(content.range, range);
    await sameBytes(content, bytes.slice(range.start, range.end + 1));
    const nothing = await store.getObject(bucket, key("k"), () => "nothing", { versionId });
    strictEqual(nothing.body, null);
  });

  test("keeps what was written before versioning as the version null", async ({ store }) => {
    const before = await put(store, "k", "before");
    await put(store, "deleted", "x");
    await remove(store, "deleted");
    await setVersioning(store, "Enabled");
    const versionId = NULL_VERSION;
    deepStrictEqual(await store.readObject(bucket, key("k")), { ...before, versionId });
    deepStrictEqual(await history(store, "k"), ["null"]);
    deepStrictEqual(await history(store, "deleted"), []);
    const id = await putVersion(store, "k", "after");
    deepStrictEqual(await history(store, "k"), [id, "null"]);
    strictEqual(await text(store, "k"), "after");
    strictEqual(await textOf(store, "k", versionId), "before");
    deepStrictEqual(
      await store.readObject(bucket, key("k"), { versionId }),
      { ...before, versionId },
    );
  });

  versioned("leaves a delete marker and the versions before it", async ({ store }) => {
    const first = await putVersion(store, "k", "first");
    const { versionId, isMarker } = await remove(store, "k");
    ok(versionId !== undefined && isMarker);
    const read = (): Promise<unknown> => store.readObject(bucket, key("k"));
    await rejectsWithMarker("NoSuchKey", versionId, read());
    await rejectsWithMarker(
      "NoSuchKey",
      versionId,
      store.getObject(bucket, key("k"), () => "all"),
    );
    await rejectsWithMarker(
      "MethodNotAllowed",
      versionId,
      store.readObject(bucket, key("k"), { versionId }),
    );
    deepStrictEqual((await list(store)).keys, []);
    deepStrictEqual(await history(store, "k"), [`-${versionId}`, first]);
    strictEqual(await textOf(store, "k", first), "first");

    const second = idOf(await remove(store, "k"));
    await rejectsWithMarker("NoSuchKey", second, read());
    const third = await putVersion(store, "k", "third");
    strictEqual(await text(store, "k"), "third");
    deepStrictEqual((await list(store)).keys, ["k"]);
    deepStrictEqual(
      await history(store, "k"),
      [third, `-${second}`, `-${versionId}`, first],
    );
    await rejectsWithMarker(
      "MethodNotAllowed",
      versionId,
      store.readObject(bucket, key("k"), { versionId }),
    );
  });

  versioned("leaves a delete marker where there is no object", async ({ store }) => {
    const id = idOf(await remove(store, "none"));
    await rejectsWithMarker("NoSuchKey", id, store.readObject(bucket, key("none")));
    deepStrictEqual(await history(store, "none"), [`-${id}`]);
    deepStrictEqual((await list(store)).keys, []);
  });

  versioned("makes a version of an upload", async ({ store }) => {
    const first = await putVersion(store, "k", "first");
    const pieces = [pattern(MIN_PART_SIZE, 1), pattern(10, 2)];
    const { id, parts } = await upload(store, "k", pieces, {
      algorithm: "SHA256",
      checksumType: "COMPOSITE",
    });
    const input = completion(parts, "SHA256");
    const info = await store.completeUpload(bucket, key("k"), id, input);
    const versionId = idOf(info);
    deepStrictEqual(await history(store, "k"), [versionId, first]);
    const last = await putVersion(store, "k", "last");
    const again = await store.completeUpload(bucket, key("k"), id, input);
    deepStrictEqual(idOf(again), versionId, "asked again, it says what it did");
    deepStrictEqual(await history(store, "k"), [last, versionId, first]);
    const options = { versionId, partChecksums: true };
    const read = await store.readObject(bucket, key("k"), options);
    deepStrictEqual(read.partSizes, [MIN_PART_SIZE, 10]);
    deepStrictEqual(read.partChecksums, parts.map(({ checksum }) => checksum));
    const content = await store.getObject(bucket, key("k"), () => "all", { versionId });
    await sameBytes(content, new Uint8Array(pieces.flatMap((piece) => [...piece])));
  });

  let clock = Date.now();
  versioned("never lets times of modification run backwards along a key", async ({ store }) => {
    const times: number[] = [];
    for (let i = 0; i < 6; i++) {
      if (i % 3 === 1) await remove(store, "k");
      times.push((await put(store, "k", `${i}`)).modified.getTime());
    }
    deepStrictEqual(times, [...times].sort((a, b) => a - b));
    const { id, parts } = await upload(store, "k", ["x"]);
    const { modified } = await store.completeUpload(bucket, key("k"), id, completion(parts));
    ok(modified.getTime() >= (times.at(-1) ?? 0));
  }, { now: () => new Date(clock -= 3_600_000) });
}
