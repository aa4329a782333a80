/**
 * The promises about changes of retention and of legal holds.
 * @module
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { NULL_VERSION, type VersionId } from "../../src/s3/version_id.ts";
import type { ObjectInfo, RetentionMode, WrittenVersion } from "../../src/store/objects.ts";
import type { Store } from "../../src/store/store.ts";
import { bucket, key, KIB, pattern } from "./inputs.ts";
import { put, rejectsWith, sameBytes } from "./steps.ts";
import { FUTURE, retained } from "./object_lock.ts";
import type { Test } from "./store_under_test.ts";
import {
  history,
  idOf,
  inVersionedBucket,
  pageOf,
  putVersion,
  rejectsWithMarker,
  remove,
  setVersioning,
  UNKNOWN,
} from "./version_steps.ts";

type Retention = { readonly mode: RetentionMode; readonly until: Date };

const after = (days: number): Date => new Date(FUTURE.getTime() + days * 24 * 60 * 60 * 1000);

function retain(
  store: Store,
  retention: Retention | undefined,
  given: { readonly bypass?: boolean; readonly versionId?: VersionId | undefined } = {},
): Promise<WrittenVersion> {
  const { bypass = false, versionId } = given;
  const change = { kind: "retention", retention, bypass } as const;
  return store.changeLock(bucket, key("k"), change, { versionId });
}

function hold(
  store: Store,
  legalHold: boolean,
  versionId?: VersionId | undefined,
): Promise<WrittenVersion> {
  return store.changeLock(bucket, key("k"), { kind: "hold", legalHold }, { versionId });
}

/** Registers the tests of this file. */
export function lockChangeContract(test: Test): void {
  const versioned = inVersionedBucket(test);

  versioned("changes the locks of one version, and nothing else", async ({ store }) => {
    const properties = {
      system: { contentType: "text/css" },
      user: { color: "red" },
      tags: { team: "a" },
    };
    const infos: ObjectInfo[] = [];
    for (const size of [300 * KIB, 10, 0]) {
      infos.push(await put(store, "k", pattern(size), { properties, algorithm: "CRC32" }));
    }
    const listed = await pageOf(store);
    const check = async (): Promise<void> => {
      for (const expected of infos) {
        const { versionId, size } = expected;
        const content = await store.getObject(bucket, key("k"), () => "all", { versionId });
        deepStrictEqual(content.info, expected);
        await sameBytes(content, pattern(size));
      }
      deepStrictEqual(await store.readObject(bucket, key("k")), infos.at(-1));
    };
    for (const [i, info] of infos.entries()) {
      const versionId = idOf(info);
      const retention = { mode: "GOVERNANCE", until: after(i) } as const;
      deepStrictEqual(await retain(store, retention, { versionId }), { versionId });
      infos[i] = { ...info, retention };
      await check();
      deepStrictEqual(await hold(store, true, versionId), { versionId });
      infos[i] = { ...info, retention, legalHold: true };
      await check();
      await rejectsWith("AccessDenied", remove(store, "k", { versionId, bypass: true }));
      await hold(store, false, versionId);
      await retain(store, undefined, { versionId, bypass: true });
      infos[i] = { ...info, legalHold: false };
      await check();
    }
    deepStrictEqual(await pageOf(store), listed);
    for (const { versionId } of infos) await remove(store, "k", { versionId });
    strictEqual((await history(store, "k")).length, 0);
  });

  versioned("changes the locks of the current version by default", async ({ store }) => {
    await put(store, "k", "old");
    const versionId = await putVersion(store, "k", "new");
    deepStrictEqual(await hold(store, true), { versionId });
    deepStrictEqual(await retain(store, { mode: "COMPLIANCE", until: FUTURE }), { versionId });
    const { retention, legalHold } = await store.readObject(bucket, key("k"), { versionId });
    deepStrictEqual([retention?.mode, legalHold], ["COMPLIANCE", true]);
    await rejectsWith("AccessDenied", remove(store, "k", { versionId, bypass: true }));
  });

  versioned("lets retention be weakened only as its mode allows", async ({ store }) => {
    const [early, late] = [after(-1), after(1)];
    type Row = [
      from: RetentionMode,
      to: RetentionMode | undefined,
      until: Date,
      allowed: "anybody" | "bypass" | "nobody",
    ];
    const rows: Row[] = [
      ["GOVERNANCE", "GOVERNANCE", FUTURE, "anybody"],
      ["GOVERNANCE", "GOVERNANCE", late, "anybody"],
      ["GOVERNANCE", "GOVERNANCE", early, "bypass"],
      ["GOVERNANCE", "COMPLIANCE", late, "bypass"],
      ["GOVERNANCE", "COMPLIANCE", early, "bypass"],
      ["GOVERNANCE", undefined, early, "bypass"],
      ["COMPLIANCE", "COMPLIANCE", FUTURE, "anybody"],
      ["COMPLIANCE", "COMPLIANCE", late, "anybody"],
      ["COMPLIANCE", "COMPLIANCE", early, "nobody"],
      ["COMPLIANCE", "GOVERNANCE", late, "nobody"],
      ["COMPLIANCE", undefined, early, "nobody"],
    ];
    for (const [from, to, until, allowed] of rows) {
      const versionId = await putVersion(store, "k", "x", { lock: retained(from) });
      await put(store, "k", "newer");
      const retention = to && { mode: to, until };
      for (const bypass of [false, true]) {
        const isAllowed = allowed === "anybody" || allowed === "bypass" && bypass;
        const call = retain(store, retention, { versionId, bypass });
        if (isAllowed) deepStrictEqual(await call, { versionId });
        else await rejectsWith("AccessDenied", call);
        const info = await store.readObject(bucket, key("k"), { versionId });
        const expected = isAllowed ? retention : { mode: from, until: FUTURE };
        deepStrictEqual(info.retention, expected, `${from} to ${to} with bypass ${bypass}`);
      }
    }
  });

  versioned("changes retention that is over as if there were none", async (given) => {
    const { store } = given;
    for (const retention of [undefined, { mode: "GOVERNANCE", until: FUTURE } as const]) {
      const versionId = await putVersion(store, "k", "x");
      await given.retain(bucket, key("k"), new Date(Date.now() - 86_400_000));
      deepStrictEqual(await retain(store, retention), { versionId });
      deepStrictEqual((await store.readObject(bucket, key("k"))).retention, retention);
    }
  });

  versioned("refuses retention that ends in the past, whoever asks", async ({ store }) => {
    const versionId = await putVersion(store, "k", "x", { lock: retained("GOVERNANCE") });
    const past = new Date(Date.now() - 86_400_000);
    for (const mode of ["GOVERNANCE", "COMPLIANCE"] as const) {
      const call = retain(store, { mode, until: past }, { versionId, bypass: true });
      await rejectsWith("InvalidArgument", call);
    }
    const { retention } = await store.readObject(bucket, key("k"));
    deepStrictEqual(retention, { mode: "GOVERNANCE", until: FUTURE });
  });

  versioned("holds a version again, or releases it again, without an error", async ({ store }) => {
    const versionId = await putVersion(store, "k", "x");
    strictEqual((await store.readObject(bucket, key("k"))).legalHold, undefined);
    for (const legalHold of [false, true, true, false, false]) {
      deepStrictEqual(await hold(store, legalHold), { versionId });
      const info = await store.readObject(bucket, key("k"));
      strictEqual(info.legalHold, legalHold);
    }
    // A hold that is off stays so, in a noncurrent version too.
    await retain(store, { mode: "GOVERNANCE", until: FUTURE });
    await retain(store, undefined, { bypass: true });
    await store.putObjectTags(bucket, key("k"), { a: "b" });
    await put(store, "k", "newer");
    strictEqual((await store.readObject(bucket, key("k"), { versionId })).legalHold, false);
    strictEqual((await store.readObject(bucket, key("k"))).legalHold, undefined);
    await remove(store, "k", { versionId });
  });

  versioned("locks no delete marker and no unknown version", async ({ store }) => {
    const first = await putVersion(store, "k", "x");
    const versionId = idOf(await remove(store, "k"));
    const calls = (id?: VersionId): (() => Promise<unknown>)[] => [
      () => hold(store, true, id),
      () => retain(store, { mode: "GOVERNANCE", until: FUTURE }, { versionId: id }),
    ];
    for (const call of calls()) await rejectsWithMarker("NoSuchKey", versionId, call());
    for (const call of calls(versionId)) {
      await rejectsWithMarker("MethodNotAllowed", versionId, call());
    }
    for (const id of [UNKNOWN, NULL_VERSION]) {
      for (const call of calls(id)) await rejectsWith("NoSuchVersion", call());
    }
    await remove(store, "k", { versionId });
    await remove(store, "k", { versionId: first });
    for (const call of calls()) await rejectsWith("NoSuchKey", call());
  });

  test("locks what was written before versioning", async ({ store }) => {
    await put(store, "k", "before");
    await setVersioning(store, "Enabled");
    await put(store, "k", "after");
    const versionId = NULL_VERSION;
    deepStrictEqual(await hold(store, true, versionId), { versionId });
    await rejectsWith("AccessDenied", remove(store, "k", { versionId }));
    await hold(store, false, versionId);
    await remove(store, "k", { versionId });
  });

  versioned("loses neither of a hold and retention that change at once", async ({ store }) => {
    for (const isCurrent of [true, false]) {
      const versionId = await putVersion(store, "k", "x");
      if (!isCurrent) await put(store, "k", "newer");
      const retention = { mode: "GOVERNANCE", until: FUTURE } as const;
      await Promise.all([
        hold(store, true, versionId),
        retain(store, retention, { versionId }),
        store.putObjectTags(bucket, key("k"), { a: "b" }, { versionId }),
        put(store, "k", "written meanwhile"),
      ]);
      const info = await store.readObject(bucket, key("k"), { versionId });
      deepStrictEqual([info.retention, info.legalHold], [retention, true]);
      deepStrictEqual(info.properties.tags, { a: "b" });
    }
  });
}
