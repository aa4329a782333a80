/**
 * The promises about versions that object lock protects.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { NULL_VERSION, type VersionId } from "../../src/s3/version_id.ts";
import type { LockInput, RetentionMode } from "../../src/store/objects.ts";
import type { Store } from "../../src/store/store.ts";
import { bucket, completion, key, KIB, pattern, uploadInput } from "./inputs.ts";
import { list, put, rejectsWith, sameBytes, text, upload } from "./steps.ts";
import type { Test } from "./store_under_test.ts";
import {
  history,
  idOf,
  inVersionedBucket,
  isGone,
  pageOf,
  putVersion,
  remove,
  setVersioning,
  textOf,
} from "./version_steps.ts";

const DAY = 24 * 60 * 60 * 1000;

/** Far enough for any clock of a machine that runs tests. */
export const FUTURE = new Date(Date.now() + 1000 * DAY);
const PAST = new Date(Date.now() - 1000 * DAY);

/** Returns a lock by retention. */
export function retained(mode: RetentionMode, until = FUTURE): LockInput {
  return { retention: { mode, until } };
}

/** Asserts that nobody removes a version, that its bytes stay, and that it may be replaced as the current version. */
async function isProtected(store: Store, name: string, versionId: VersionId): Promise<void> {
  const data = await textOf(store, name, versionId);
  const before = await history(store, name);
  await rejectsWith("AccessDenied", remove(store, name, { versionId }));
  deepStrictEqual(await history(store, name), before);
  strictEqual(await textOf(store, name, versionId), data);
}

/** Registers the tests of this file. */
export function objectLockContract(test: Test): void {
  const versioned = inVersionedBucket(test);

  versioned("keeps the locks that a version was written with", async ({ store }) => {
    const rows: [LockInput, mode: string | undefined, hold: boolean | undefined][] = [
      [retained("GOVERNANCE"), "GOVERNANCE", undefined],
      [{ ...retained("COMPLIANCE"), legalHold: true }, "COMPLIANCE", true],
      [{ legalHold: true }, undefined, true],
      [{ legalHold: false }, undefined, false],
      [{}, undefined, undefined],
    ];
    for (const [lock, mode, hold] of rows) {
      const info = await put(store, "k", pattern(300 * KIB), { lock });
      const { id, parts } = await upload(store, "m", [pattern(10)], { lock });
      const done = await store.completeUpload(bucket, key("m"), id, completion(parts));
      await put(store, "m", "newer");
      const read = [
        info,
        done,
        await store.readObject(bucket, key("k")),
        await store.readObject(bucket, key("m"), { versionId: idOf(done) }),
      ];
      for (const { retention, legalHold } of read) {
        deepStrictEqual(retention, mode === undefined ? undefined : { mode, until: FUTURE });
        strictEqual(legalHold, hold);
      }
    }
  });

  versioned("counts days of retention from the time of modification", async ({ store }) => {
    for (const days of [1, 36_500]) {
      const lock: LockInput = { retention: { mode: "GOVERNANCE", days } };
      const { id, parts } = await upload(store, "k", ["x"], { lock });
      const infos = [
        await put(store, "k", "x", { lock }),
        await store.completeUpload(bucket, key("k"), id, completion(parts)),
      ];
      for (const { modified, retention } of infos) {
        strictEqual(retention?.mode, "GOVERNANCE");
        strictEqual(retention.until.getTime() - modified.getTime(), days * DAY);
      }
      const { retention } = await store.readObject(bucket, key("k"));
      deepStrictEqual(retention, infos[1]?.retention);
    }
  });

  versioned("refuses retention that ends in the past", async ({ store }) => {
    const lock = retained("GOVERNANCE", PAST);
    await rejectsWith("InvalidArgument", put(store, "k", "x", { lock }));
    await rejectsWith(
      "InvalidArgument",
      store.createUpload(bucket, key("k"), uploadInput({ lock })),
    );
    deepStrictEqual((await list(store)).keys, []);
    const uploads = await store.listUploads(bucket, {
      ...{ prefix: "", delimiter: "", limit: 1, keyMarker: "", uploadIdMarker: "" },
    });
    deepStrictEqual(uploads.uploads, []);
  });

  versioned("protects a version, current or not, whatever else is written", async ({ store }) => {
    const locks = [retained("GOVERNANCE"), retained("COMPLIANCE"), { legalHold: true }];
    const bytes = pattern(130 * KIB);
    for (const [i, lock] of locks.entries()) {
      const name = `k${i}`;
      const versionId = await putVersion(store, name, bytes, { lock });
      await isProtected(store, name, versionId);
      const newer = await putVersion(store, name, "newer");
      await isProtected(store, name, versionId);
      const marker = idOf(await remove(store, name));
      await isProtected(store, name, versionId);
      for (const id of [newer, marker]) await remove(store, name, { versionId: id });
      await isProtected(store, name, versionId);
      deepStrictEqual(await history(store, name), [versionId]);
      await sameBytes(await store.getObject(bucket, key(name), () => "all"), bytes);
    }
    await rejectsWith("BucketNotEmpty", store.deleteBucket(bucket));
  });

  versioned("lets the bypass pass retention of mode GOVERNANCE alone", async ({ store }) => {
    const locks: [LockInput, passes: boolean][] = [
      [retained("GOVERNANCE"), true],
      [retained("COMPLIANCE"), false],
      [{ legalHold: true }, false],
      [{ ...retained("GOVERNANCE"), legalHold: true }, false],
    ];
    for (const [i, [lock, passes]] of locks.entries()) {
      const name = `k${i}`;
      const versionId = await putVersion(store, name, "x", { lock });
      const newer = await putVersion(store, name, "newer");
      const call = remove(store, name, { versionId, bypass: true });
      if (passes) deepStrictEqual(await call, { versionId, isMarker: false });
      else await rejectsWith("AccessDenied", call);
      deepStrictEqual(await history(store, name), passes ? [newer] : [newer, versionId]);
    }
  });

  versioned("removes a version whose retention is over", async ({ store, retain }) => {
    const versionId = await putVersion(store, "k", "x");
    await retain(bucket, key("k"), PAST);
    await remove(store, "k", { versionId });
    await isGone(store, "k");
  });

  versioned("puts tags on a version that is locked", async ({ store }) => {
    const lock = { ...retained("COMPLIANCE"), legalHold: true };
    const before = await put(store, "k", "x", { lock });
    const { versionId } = before;
    await store.putObjectTags(bucket, key("k"), { a: "b" }, { versionId });
    deepStrictEqual(await store.readObject(bucket, key("k")), {
      ...before,
      properties: { ...before.properties, tags: { a: "b" } },
    });
    await put(store, "k", "newer");
    await store.putObjectTags(bucket, key("k"), { c: "d" }, { versionId });
    const { properties, retention, legalHold } = await store.readObject(bucket, key("k"), {
      versionId,
    });
    deepStrictEqual(properties.tags, { c: "d" });
    deepStrictEqual([retention, legalHold], [before.retention, true]);
  });

  versioned("protects the version null while versioning is suspended", async ({ store }) => {
    await setVersioning(store, "Suspended");
    await put(store, "k", "kept", { lock: { legalHold: true } });
    const { id, parts } = await upload(store, "k", ["x"]);
    const calls = [
      () => put(store, "k", "x"),
      () => store.completeUpload(bucket, key("k"), id, completion(parts)),
      () => remove(store, "k"),
      () => remove(store, "k", { versionId: NULL_VERSION }),
    ];
    const refused = async (): Promise<void> => {
      for (const call of calls) await rejectsWith("AccessDenied", call());
      strictEqual(await textOf(store, "k", NULL_VERSION), "kept");
    };
    await refused();
    deepStrictEqual(await history(store, "k"), ["null"]);
    // A version in front of it does not uncover it.
    await setVersioning(store, "Enabled");
    const newer = await putVersion(store, "k", "newer");
    await setVersioning(store, "Suspended");
    await refused();
    deepStrictEqual(await history(store, "k"), [newer, "null"]);
    strictEqual(await text(store, "k"), "newer");
    const change = { kind: "hold", legalHold: false } as const;
    await store.changeLock(bucket, key("k"), change, { versionId: NULL_VERSION });
    deepStrictEqual(await remove(store, "k"), { versionId: NULL_VERSION, isMarker: true });
    deepStrictEqual(await history(store, "k"), ["-null", newer]);
  });

  test("keeps the locks of what was written before versioning", async ({ store, retain }) => {
    await put(store, "k", "kept");
    await retain(bucket, key("k"), FUTURE);
    await rejectsWith("AccessDenied", remove(store, "k", { versionId: NULL_VERSION }));
    await setVersioning(store, "Enabled");
    await isProtected(store, "k", NULL_VERSION);
    const newer = await putVersion(store, "k", "newer");
    await isProtected(store, "k", NULL_VERSION);
    deepStrictEqual(await history(store, "k"), [newer, "null"]);
    const { retention } = await store.readObject(bucket, key("k"), { versionId: NULL_VERSION });
    deepStrictEqual(retention?.until, FUTURE);
  });

  versioned("removes of a key only the versions without a lock", async ({ store }) => {
    for (let i = 0; i < 6; i++) {
      await put(store, "k", `${i}`, i % 2 === 0 ? { lock: retained("COMPLIANCE") } : {});
    }
    const { versions } = await pageOf(store);
    const outcomes = await Promise.allSettled(
      versions.map(({ versionId }) => remove(store, "k", { versionId, bypass: true })),
    );
    strictEqual(outcomes.filter(({ status }) => status === "rejected").length, 3);
    const left = await history(store, "k");
    ok(left.every((id) => versions.some(({ versionId }) => versionId === id)));
    const texts = await Promise.all(left.map((id) => textOf(store, "k", id as VersionId)));
    deepStrictEqual(texts, ["4", "2", "0"]);
    strictEqual(await text(store, "k"), "4");
  });
}
