/**
 * The promises about conditions in buckets with versioning, and about writers that race there.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { WritePrecondition } from "../../src/s3/conditions.ts";
import { NULL_VERSION } from "../../src/s3/version_id.ts";
import { bucket, completion, key } from "./inputs.ts";
import { codeOf, list, put, rejectsWith, text, upload } from "./steps.ts";
import type { Test } from "./store_under_test.ts";
import {
  history,
  idOf,
  inVersionedBucket,
  isGone,
  putVersion,
  remove,
  setVersioning,
  textOf,
} from "./version_steps.ts";

const OTHER_ETAG = "0".repeat(32);

/** Registers the tests of this file. */
export function versionConditionContract(test: Test): void {
  const versioned = inVersionedBucket(test);

  versioned("lets conditions of writes look at the current version", async ({ store }) => {
    const write = (precondition: WritePrecondition): Promise<unknown> =>
      put(store, "k", "written", { precondition });
    const { etag: old } = await put(store, "k", "old");
    const { etag } = await put(store, "k", "new");
    await rejectsWith("PreconditionFailed", write({ ifMatch: old }));
    await rejectsWith("PreconditionFailed", write({ ifNoneMatch: "*" }));
    strictEqual((await history(store, "k")).length, 2);
    await write({ ifMatch: etag });
    strictEqual(await text(store, "k"), "written");
    strictEqual((await history(store, "k")).length, 3);
  });

  versioned("counts a delete marker as no object in conditions", async ({ store }) => {
    const { etag } = await put(store, "k", "old");
    await remove(store, "k");
    for (const ifMatch of [etag, "*"]) {
      await rejectsWith("NoSuchKey", put(store, "k", "x", { precondition: { ifMatch } }));
      await rejectsWith("NoSuchKey", remove(store, "k", { precondition: { ifMatch } }));
    }
    strictEqual((await history(store, "k")).length, 2);
    await put(store, "k", "new", { precondition: { ifNoneMatch: "*" } });
    strictEqual(await text(store, "k"), "new");
    const { id, parts } = await upload(store, "k", ["part"]);
    const input = { ...completion(parts), precondition: { ifNoneMatch: "*" as const } };
    await rejectsWith("PreconditionFailed", store.completeUpload(bucket, key("k"), id, input));
    await remove(store, "k");
    await store.completeUpload(bucket, key("k"), id, input);
    strictEqual(await text(store, "k"), "part");
    strictEqual((await history(store, "k")).length, 5);
  });

  versioned("lets conditions of deletes look at the current version", async ({ store }) => {
    const { etag: old, ...first } = await put(store, "k", "old");
    const { etag } = await put(store, "k", "newer");
    const refused: WritePrecondition[] = [{ ifMatch: old }, { ifMatchSize: 3 }];
    for (const precondition of refused) {
      await rejectsWith("PreconditionFailed", remove(store, "k", { precondition }));
      const versionId = idOf(first);
      await rejectsWith("PreconditionFailed", remove(store, "k", { precondition, versionId }));
    }
    strictEqual((await history(store, "k")).length, 2);
    const precondition = { ifMatch: etag };
    await remove(store, "k", { precondition, versionId: idOf(first) });
    strictEqual((await history(store, "k")).length, 1);
    const { isMarker } = await remove(store, "k", { precondition });
    ok(isMarker);
    strictEqual((await history(store, "k")).length, 2);
  });

  test("removes a version only while there is no current object, if a condition says so", async ({ store }) => {
    await setVersioning(store, "Enabled");
    const old = idOf(await put(store, "k", "old"));
    const marker = idOf(await remove(store, "k"));
    const precondition = { ifNoneMatch: "*" } as const;
    const current = idOf(await put(store, "k", "current"));
    for (const versionId of [old, marker, current]) {
      await rejectsWith("PreconditionFailed", remove(store, "k", { precondition, versionId }));
    }
    strictEqual((await history(store, "k")).length, 3);
    await remove(store, "k", { versionId: current });
    await remove(store, "k", { precondition, versionId: old });
    await remove(store, "k", { precondition, versionId: marker });
    await isGone(store, "k");

    // The id `null` passes from one version to the next.
    await setVersioning(store, "Suspended");
    await remove(store, "k");
    await put(store, "k", "new");
    const input = { precondition, versionId: NULL_VERSION };
    await rejectsWith("PreconditionFailed", remove(store, "k", input));
    strictEqual(await text(store, "k"), "new");
  });

  test("lets conditions look at the version null", async ({ store }) => {
    const { etag } = await put(store, "k", "null");
    for (const state of ["Enabled", "Suspended"] as const) {
      await setVersioning(store, state);
      const precondition = { ifMatch: OTHER_ETAG };
      await rejectsWith("PreconditionFailed", put(store, "k", "x", { precondition }));
      await rejectsWith("PreconditionFailed", remove(store, "k", { precondition }));
      deepStrictEqual(await history(store, "k"), ["null"]);
    }
    await put(store, "k", "again", { precondition: { ifMatch: etag } });
    deepStrictEqual(await history(store, "k"), ["null"]);
    strictEqual(await textOf(store, "k", NULL_VERSION), "again");
  });

  versioned("lets one of racing conditional writers win", async ({ store }) => {
    await put(store, "k", "deleted");
    await remove(store, "k");
    const writers = Array.from({ length: 20 }, (_, i) => `writer ${i}`);
    const race = async (precondition: WritePrecondition): Promise<void> => {
      const before = await history(store, "k");
      const outcomes = await Promise.allSettled(
        writers.map((text) => put(store, "k", text, { precondition })),
      );
      const winners = writers.filter((_, i) => outcomes[i]?.status === "fulfilled");
      strictEqual(winners.length, 1);
      strictEqual(await text(store, "k"), winners[0]);
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") continue;
        strictEqual(codeOf(outcome.reason), "PreconditionFailed");
      }
      const [, ...others] = await history(store, "k");
      deepStrictEqual(others, before);
    };
    await race({ ifNoneMatch: "*" });
    const { etag } = await put(store, "k", "expected");
    await race({ ifMatch: etag });
  });

  versioned("keeps a version of each writer and deleter of a race", async ({ store }) => {
    const before = await putVersion(store, "k", "before");
    const written = await Promise.all(
      Array.from({ length: 20 }, async (_, i): Promise<[string, string | undefined]> => {
        if (i % 4 === 3) return [`-${idOf(await remove(store, "k"))}`, undefined];
        return [await putVersion(store, "k", `writer ${i}`), `writer ${i}`];
      }),
    );
    const found = await history(store, "k");
    deepStrictEqual(found.toSorted(), [before, ...written.map(([id]) => id)].sort());
    for (const [id, expected] of written) {
      if (expected !== undefined) {
        strictEqual(await textOf(store, "k", id as typeof before), expected);
      }
    }
    const isDeleted = found[0]?.startsWith("-") === true;
    deepStrictEqual((await list(store)).keys, isDeleted ? [] : ["k"]);
  });

  versioned("loses no version when writers and removals race", async ({ store }) => {
    const ids = [];
    for (let i = 0; i < 6; i++) ids.push(await putVersion(store, "k", `old ${i}`));
    const [kept, ...removed] = ids;
    // Each is removed twice at once, the current one too.
    const [written] = await Promise.all([
      Promise.all(Array.from({ length: 6 }, (_, i) => putVersion(store, "k", `new ${i}`))),
      ...[...removed, ...removed].map((versionId) => remove(store, "k", { versionId })),
    ]);
    const found = await history(store, "k");
    deepStrictEqual(found.toSorted(), [kept, ...written].sort());
    for (const [i, id] of written.entries()) strictEqual(await textOf(store, "k", id), `new ${i}`);
    await Promise.all(found.map((id) => remove(store, "k", { versionId: id as typeof kept })));
    await isGone(store, "k");
  });

  versioned("keeps one version null of racing writers", async ({ store }) => {
    const id = await putVersion(store, "k", "version");
    await setVersioning(store, "Suspended");
    const writers = Array.from({ length: 10 }, (_, i) => `writer ${i}`);
    await Promise.all(writers.map((text) => put(store, "k", text)));
    deepStrictEqual(await history(store, "k"), ["null", id]);
    ok(writers.includes(await text(store, "k")));
  });
}
