/** Restoring keys as of a time, on a store in memory under a clock that a test sets. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { formatKeptLock } from "../../src/s3/stated_lock.ts";
import { createMemoryStore, type MemoryStore } from "../../src/store/memory/memory_store.ts";
import {
  NoVersioning,
  restore as restoreKeys,
  type RestoreOptions,
} from "../../src/workers/restore.ts";
import { bucket, completion, key, OWNER } from "../contract/inputs.ts";
import { put, text, upload } from "../contract/steps.ts";
import { history, idOf, remove } from "../contract/version_steps.ts";

const BEGIN = Date.parse("2024-05-01T10:00:00Z");
const HOUR = 3_600_000;

type Scene = {
  readonly store: MemoryStore;
  /** Sets the clock some hours after the beginning. */
  readonly at: (hours: number) => void;
  /** Restores as of some hours after the beginning. Returns what happened to which keys. */
  readonly restore: (
    hours: number,
    given?: Partial<RestoreOptions>,
    changes?: Partial<MemoryStore>,
  ) => Promise<readonly string[]>;
};

async function createScene(versioning: "Enabled" | "Suspended" = "Enabled"): Promise<Scene> {
  let now = BEGIN;
  const store = createMemoryStore({ now: () => new Date(now), minPartSize: 1 });
  const documents = new Map([["versioning", versioning]] as const);
  await store.createBucket(bucket, OWNER, { documents });
  return {
    store,
    at: (hours) => void (now = BEGIN + hours * HOUR),
    async restore(hours, given = {}, changes = {}) {
      const did: string[] = [];
      await restoreKeys({ ...store, ...changes }, bucket, {
        ...{ time: new Date(BEGIN + hours * HOUR), text: "", isExact: false, dryRun: false },
        visit: ({ kind, key }) => void did.push(`${kind} ${key}`),
        ...given,
      });
      return did.sort();
    },
  };
}

/** Returns every key with its current text; `-` for a delete marker. */
async function stateOf(store: MemoryStore, names: readonly string[]): Promise<readonly string[]> {
  return await Promise.all(names.map((name) => text(store, name).catch(() => "-")));
}

Deno.test("restore brings every key back, by new versions alone, and a second run does nothing", async () => {
  const { store, at, restore } = await createScene();
  const names = ["changed", "deleted", "new", "never", "same", "twice"];
  const described = {
    system: { contentType: "text/plain", cacheControl: "no-cache" },
    user: { a: "1" },
    tags: { b: "2" },
  };
  await put(store, "changed", "1", { properties: described, algorithm: "SHA256" });
  await put(store, "deleted", "2");
  await put(store, "never", "x");
  await remove(store, "never");
  await put(store, "same", "3");
  await put(store, "twice", "4");
  const kept = await store.readObject(bucket, key("changed"));
  at(2);
  await put(store, "changed", "1"); // the same bytes under other properties
  await remove(store, "deleted");
  await put(store, "new", "5");
  await put(store, "twice", "6");
  await put(store, "twice", "4");
  at(3);
  const before = await Promise.all(names.map((name) => history(store, name)));

  const expected = [
    ...["deleted new", "restored changed", "restored deleted"],
    ...["same never", "same same", "same twice"],
  ];
  deepStrictEqual(await restore(1, { dryRun: true }), expected);
  deepStrictEqual(await Promise.all(names.map((name) => history(store, name))), before);

  deepStrictEqual(await restore(1), expected);
  deepStrictEqual(await stateOf(store, names), ["1", "2", "-", "-", "3", "4"]);
  const after = await Promise.all(names.map((name) => history(store, name)));
  const added = names.map((_, i) => (after[i]?.length ?? 0) - (before[i]?.length ?? 0));
  deepStrictEqual(added, [1, 1, 1, 0, 0, 0]);
  for (const [i, versions] of after.entries()) {
    deepStrictEqual(versions.slice(added[i]), before[i], "older versions stay");
  }
  const { versionId: _1, modified: _2, ...facts } = kept;
  const { versionId: _3, modified: _4, ...restored } = await store.readObject(
    bucket,
    key("changed"),
  );
  deepStrictEqual(restored, facts);

  const same = (did: readonly string[]): boolean => did.every((text) => text.startsWith("same "));
  strictEqual(same(await restore(1)), true);
  deepStrictEqual(await Promise.all(names.map((name) => history(store, name))), after);

  // And back again to how it was before the restore.
  at(4);
  await restore(2.5);
  deepStrictEqual(await stateOf(store, names), ["1", "-", "5", "-", "3", "4"]);
});

Deno.test("restore copies an object of parts once", async () => {
  const { store, at, restore } = await createScene();
  const { id, parts } = await upload(store, "k", ["one", "two"]);
  const { etag } = await store.completeUpload(bucket, key("k"), id, completion(parts));
  at(2);
  await put(store, "k", "onetwo");
  deepStrictEqual(await restore(1), ["restored k"]);
  const info = await store.readObject(bucket, key("k"));
  strictEqual(info.etag, etag);
  deepStrictEqual(info.partSizes, [3, 3]);
  deepStrictEqual(await restore(1), ["same k"]);
});

Deno.test("restore keeps to a prefix, or to one key", async () => {
  const { store, at, restore } = await createScene();
  at(2);
  for (const name of ["a", "a/1", "a/2", "b"]) await put(store, name, "new");
  deepStrictEqual(await restore(1, { text: "a", isExact: true }), ["deleted a"]);
  deepStrictEqual(await restore(1, { text: "a/" }), ["deleted a/1", "deleted a/2"]);
  deepStrictEqual(await stateOf(store, ["a", "a/1", "a/2", "b"]), ["-", "-", "-", "new"]);
});

Deno.test("restore leaves what a client writes meanwhile, and says so", async () => {
  const { store, at, restore } = await createScene();
  for (const name of ["put", "deleted", "undone"]) await put(store, name, "old");
  at(2);
  await remove(store, "undone");
  for (const name of ["put", "deleted", "new"]) await put(store, name, "bad");
  const meanwhile = async (name: string): Promise<void> => {
    if (name === "deleted") await remove(store, name);
    else await put(store, name, "of a client");
  };
  const did = await restore(1, {}, {
    async putObject(bucket, key, input) {
      await meanwhile(key);
      return await store.putObject(bucket, key, input);
    },
    async deleteObject(bucket, key, input) {
      await meanwhile(key);
      return await store.deleteObject(bucket, key, input);
    },
  });
  deepStrictEqual(did, ["changed deleted", "changed new", "changed put", "changed undone"]);
  const state = await stateOf(store, ["put", "deleted", "new", "undone"]);
  deepStrictEqual(state, ["of a client", "-", "of a client", "of a client"]);
});

Deno.test("restore leaves a key alone of which it is not known how it was", async () => {
  const { store, at, restore } = await createScene();
  const ids = [];
  for (const [i, body] of ["a", "b", "c"].entries()) {
    at(i);
    ids.push(idOf(await put(store, "k", body)));
  }
  await remove(store, "k", { versionId: ids[1] });
  deepStrictEqual(await restore(1), ["unknown k"]);
  deepStrictEqual(await restore(0), ["unknown k"]);
  strictEqual(await text(store, "k"), "c");
  deepStrictEqual(await restore(-1), ["deleted k"]);
});

Deno.test("restore finds a version that is pages away", async () => {
  const { store, at, restore } = await createScene();
  await put(store, "k", "first");
  await put(store, "l", "first");
  at(2);
  for (let i = 0; i < 2100; i++) await put(store, "k", "");
  await put(store, "l", "last");
  deepStrictEqual(await restore(1), ["restored k", "restored l"]);
  deepStrictEqual(await stateOf(store, ["k", "l"]), ["first", "first"]);
  deepStrictEqual(await restore(1, { text: "k", isExact: true }), ["same k"]);
});

Deno.test("restore gives new versions the retention that the bucket has by default", async () => {
  const { store, at, restore } = await createScene();
  await store.putDocument(
    bucket,
    "objectLock",
    formatKeptLock({ default: { mode: "GOVERNANCE", days: 1 } }),
  );
  await put(store, "k", "old");
  at(2);
  await put(store, "k", "new");
  await restore(1);
  const { retention, modified } = await store.readObject(bucket, key("k"));
  deepStrictEqual(retention, {
    mode: "GOVERNANCE",
    until: new Date(modified.getTime() + 24 * HOUR),
  });
});

Deno.test("restore refuses a bucket whose writes would replace versions", async () => {
  const { restore } = await createScene("Suspended");
  await rejects(restore(0), NoVersioning);
  const store = createMemoryStore();
  await store.createBucket(bucket, OWNER);
  const options = { time: new Date(), text: "", isExact: false, dryRun: true, visit: () => {} };
  await rejects(restoreKeys(store, bucket, options), /never had versioning/);
});

Deno.test("restore stops when versioning is suspended meanwhile", async () => {
  const { store, at, restore } = await createScene();
  await put(store, "k", "old");
  at(2);
  await put(store, "k", "new");
  const suspended = restore(1, {}, {
    async getObject(...args) {
      await store.putDocument(bucket, "versioning", "Suspended");
      return await store.getObject(...args);
    },
  });
  await rejects(suspended, NoVersioning);
  strictEqual((await history(store, "k")).length, 2);
});

Deno.test("restore refuses bytes that have not their checksum", async () => {
  const { store, at, restore } = await createScene();
  await put(store, "k", "old", { algorithm: "CRC32" });
  at(2);
  await put(store, "k", "new");
  const did = await restore(1, {}, {
    async getObject(...args) {
      const found = await store.getObject(...args);
      return { ...found, body: new TextEncoder().encode("bad") };
    },
  });
  deepStrictEqual(did, ["unknown k"]);
  strictEqual(await text(store, "k"), "new");
});
