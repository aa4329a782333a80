/** The worker that carries lifecycle rules out, on a store in memory. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { S3Error } from "../../src/s3/errors.ts";
import type { LifecycleFilter } from "../../src/s3/lifecycle.ts";
import type { MemoryStore } from "../../src/store/memory/memory_store.ts";
import { PARALLEL } from "../../src/workers/lifecycle_run.ts";
import { parseState } from "../../src/workers/lifecycle_state.ts";
import { bucket, key } from "../contract/inputs.ts";
import { put } from "../contract/steps.ts";
import { remove, setVersioning } from "../contract/version_steps.ts";
import { BEGIN, begin, DAY, lifecycleScene, putSized } from "./lifecycle_scene.ts";

function filter(rest: Partial<LifecycleFilter> = {}): LifecycleFilter {
  return { form: "filter", tags: new Map(), ...rest };
}

Deno.test("objects go at the midnight after their days, and not before", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setRules({ filter: filter({ prefix: "logs/" }), expiration: { days: 1 } });
  for (const name of ["a", "logs/a", "logs/b", "z"]) await putSized(store, name, 1);
  deepStrictEqual((await look()).removed, []);
  wait(1.5); // written at ten o'clock, so a day later is the 2nd, and the next midnight begins the 3rd
  deepStrictEqual((await look()).removed, []);
  wait(14 / 24 + 1);
  deepStrictEqual((await look()).removed, ["object", "object"]);
  deepStrictEqual(await left(), ["a 1", "z 1"]);
});

Deno.test("filters choose by tags, by size and by both", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setRules(
    { filter: filter({ tags: new Map([["a", "1"]]) }), expiration: { days: 1 } },
    { filter: filter({ sizeAbove: 5 }), expiration: { days: 1 } },
    {
      filter: filter({ form: "and", tags: new Map([["b", "1"], ["c", "1"]]), sizeBelow: 3 }),
      expiration: { days: 1 },
    },
    { isEnabled: false, expiration: { days: 1 } },
  );
  await putSized(store, "both", 2, { b: "1", c: "1" });
  await putSized(store, "large both", 3, { b: "1", c: "1" });
  await putSized(store, "one of two", 2, { b: "1" });
  await putSized(store, "large", 6);
  await putSized(store, "small", 5);
  await putSized(store, "tagged", 1, { a: "1" });
  await putSized(store, "tagged otherwise", 1, { a: "2" });
  wait(3);
  let reads = 0;
  const readObject: MemoryStore["readObject"] = (...args) => {
    reads++;
    return store.readObject(...args);
  };
  await look({ readObject });
  deepStrictEqual(await left(), [
    "large both 3",
    "one of two 2",
    "small 5",
    "tagged otherwise 1",
  ]);
  strictEqual(reads, 7);
});

Deno.test("tags are read of those objects only that may be due", async () => {
  const { store, setRules, wait, look } = await lifecycleScene();
  await setRules({
    filter: filter({ form: "and", prefix: "logs/", tags: new Map([["a", "1"]]) }),
    expiration: { days: 30 },
  });
  for (const name of ["a", "logs/a"]) await putSized(store, name, 1, { a: "1" });
  wait(3);
  const readObject: MemoryStore["readObject"] = () => {
    throw new Error("it reads an object");
  };
  deepStrictEqual((await look({ readObject })).ran, ["done"]);
});

Deno.test("noncurrent versions go for good, except the newest, and the current one leaves a marker", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setVersioning(store, "Enabled");
  await setRules({ noncurrent: { days: 2, newer: 1 } }, {
    filter: filter({ prefix: "old" }),
    expiration: { days: 5 },
  });
  for (const size of [1, 2, 3, 4]) {
    await putSized(store, "key", size);
    await putSized(store, "old", size);
  }
  wait(1);
  await putSized(store, "key", 5);
  await remove(store, "marked");
  wait(3); // the versions 1 to 3 are noncurrent since the beginning, 4 since a day
  deepStrictEqual((await look()).removed, ["version", "version", "version", "version", "version"]);
  deepStrictEqual(await left(), [
    "key 5",
    "key 4 noncurrent",
    "marked marker",
    "old 4",
    "old 3 noncurrent",
  ]);
  wait(7);
  deepStrictEqual((await look()).removed, ["object"]);
  deepStrictEqual((await left()).slice(3), ["old marker", "old 4 noncurrent", "old 3 noncurrent"]);
  wait(12);
  deepStrictEqual((await look()).removed, ["version"]);
  deepStrictEqual((await left()).slice(3), ["old marker", "old 4 noncurrent"]);
});

Deno.test("a delete marker goes when no version is left below it", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setVersioning(store, "Enabled");
  await setRules({ expiration: { markers: true } }, { noncurrent: { days: 3 } });
  await putSized(store, "a", 1);
  await remove(store, "a");
  await remove(store, "alone");
  wait(1);
  deepStrictEqual((await look()).removed, ["marker"]);
  deepStrictEqual(await left(), ["a marker", "a 1 noncurrent"]);
  wait(5);
  deepStrictEqual((await look()).removed, ["version", "marker"]);
  deepStrictEqual(await left(), []);
});

Deno.test("a marker stays above a version that is locked, which would come back", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setVersioning(store, "Enabled");
  await setRules({ expiration: { markers: true } }, { noncurrent: { days: 1 } });
  await put(store, "a", "1", { lock: { retention: { mode: "GOVERNANCE", days: 10 } } });
  await put(store, "held", "1", { lock: { legalHold: true } });
  await remove(store, "a");
  await remove(store, "held");
  const before = await left();
  wait(5);
  const did = await look();
  deepStrictEqual([did.removed, did.kept], [[], ["locked", "locked"]]);
  deepStrictEqual(did.lag, { overdue: 2, lateBuckets: 0 });
  deepStrictEqual(await left(), before);
  wait(12);
  deepStrictEqual((await look()).removed, ["version", "marker"]);
  deepStrictEqual(await left(), ["held marker", "held 1 noncurrent"]);
});

Deno.test("a locked object of a bucket without versioning stays", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setRules({ expiration: { days: 1 } });
  for (const name of ["free", "held", "retained"]) await putSized(store, name, 1);
  store.hold(bucket, key("held"));
  store.retain(bucket, key("retained"), new Date(BEGIN + 30 * DAY));
  wait(3);
  const did = await look();
  deepStrictEqual([did.removed, did.kept], [["object"], ["locked", "locked"]]);
  deepStrictEqual(await left(), ["held 1", "retained 1"]);
});

Deno.test("where versioning is suspended, the marker takes the place of the version null", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setVersioning(store, "Enabled");
  await putSized(store, "a", 1);
  await setVersioning(store, "Suspended");
  await putSized(store, "a", 2);
  await setRules({ expiration: { days: 1 } });
  wait(3);
  deepStrictEqual((await look()).removed, ["object"]);
  deepStrictEqual(await left(), ["a marker", "a 1 noncurrent"]);
});

Deno.test("uploads are aborted by their age and prefix", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setRules({ filter: filter({ prefix: "up/" }), abortDays: 7 });
  await begin(store, "up/a");
  await begin(store, "other");
  wait(6);
  await begin(store, "up/b");
  deepStrictEqual((await look()).removed, []);
  wait(9);
  deepStrictEqual((await look()).removed, ["upload"]);
  deepStrictEqual(await left(), ["other upload", "up/b upload"]);
});

Deno.test("a run follows once a day, and when the rules have changed", async () => {
  const { setRules, wait, look } = await lifecycleScene();
  deepStrictEqual((await look()).ran, []);
  await setRules({ expiration: { days: 1 } });
  deepStrictEqual((await look()).ran, ["done"]);
  deepStrictEqual((await look()).ran, []);
  wait(0.5); // it is ten in the evening
  deepStrictEqual((await look()).ran, []);
  await setRules({ expiration: { days: 2 } });
  deepStrictEqual((await look()).ran, ["done"]);
  wait(0.6); // past midnight
  deepStrictEqual((await look()).ran, ["done"]);
  await setRules({ isEnabled: false, expiration: { days: 1 } });
  deepStrictEqual((await look()).ran, []);
});

Deno.test("one gateway at a time works on a bucket, and a day without any is late", async () => {
  const scene = await lifecycleScene();
  const { store, setRules, wait, look, left } = scene;
  await setRules({ expiration: { days: 1 } });
  await look();
  await putSized(store, "a", 1);
  scene.claimed = true;
  wait(1);
  deepStrictEqual((await look()).lag, { overdue: 0, lateBuckets: 0 });
  wait(3);
  const did = await look();
  deepStrictEqual([did.ran, did.lag], [[], { overdue: 0, lateBuckets: 1 }]);
  deepStrictEqual(await left(), ["a 1"]);
  scene.claimed = false;
  deepStrictEqual((await look()).lag, { overdue: 0, lateBuckets: 0 });
  deepStrictEqual(await left(), []);
});

Deno.test("what somebody replaces while it is judged stays", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setRules({ expiration: { days: 1 } });
  for (const name of ["a", "b"]) await putSized(store, name, 1);
  wait(3);
  const deleteObject: MemoryStore["deleteObject"] = async (name, key, input) => {
    if (key === "a") await putSized(store, "a", 2);
    return await store.deleteObject(name, key, input);
  };
  const did = await look({ deleteObject });
  deepStrictEqual([did.removed, did.kept], [["object"], []]);
  deepStrictEqual(await left(), ["a 2"]);
});

Deno.test("a noncurrent version that has become current meanwhile stays", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setVersioning(store, "Enabled");
  await setRules({ noncurrent: { days: 1 } });
  await putSized(store, "a", 1);
  const latest = await put(store, "a", "22");
  wait(3);
  const deleteObject: MemoryStore["deleteObject"] = async (name, key, input) => {
    await remove(store, "a", { versionId: latest.versionId });
    return await store.deleteObject(name, key, input);
  };
  deepStrictEqual((await look({ deleteObject })).removed, []);
  deepStrictEqual(await left(), ["a 1"]);
});

Deno.test("a new object in the place of a marker stays", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setVersioning(store, "Suspended");
  await setRules({ expiration: { markers: true } });
  await remove(store, "a");
  wait(1);
  const deleteObject: MemoryStore["deleteObject"] = async (name, key, input) => {
    await putSized(store, "a", 1); // it has the id `null`, as the marker had
    return await store.deleteObject(name, key, input);
  };
  deepStrictEqual((await look({ deleteObject })).removed, []);
  deepStrictEqual(await left(), ["a 1"]);
});

Deno.test("what changes while it is judged is judged again in the same run", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setVersioning(store, "Enabled");
  await setRules({ noncurrent: { days: 1 } });
  await putSized(store, "a", 1);
  await putSized(store, "a", 2);
  await putSized(store, "ab", 1);
  wait(3);
  let isChanged = false;
  const deleteObject: MemoryStore["deleteObject"] = async (name, key, input) => {
    if (!isChanged) await putSized(store, "a", 3);
    isChanged = true;
    return await store.deleteObject(name, key, input);
  };
  deepStrictEqual((await look({ deleteObject })).removed, ["version"]);
  deepStrictEqual(await left(), ["a 3", "a 2 noncurrent", "ab 1"]);
});

Deno.test("rules that are taken away remove no more than what was at work", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setRules({ expiration: { days: 1 } });
  for (let n = 0; n < 3 * PARALLEL; n++) await putSized(store, `key ${n}`, 1);
  wait(3);
  const deleteObject: MemoryStore["deleteObject"] = async (...args) => {
    const deleted = await store.deleteObject(...args);
    await store.deleteDocument(bucket, "lifecycle");
    return deleted;
  };
  const did = await look({ deleteObject });
  deepStrictEqual([did.removed.length, did.ran], [PARALLEL, []]);
  strictEqual((await left()).length, 2 * PARALLEL);
});

Deno.test("several things are removed at a time, with one look at the rules for all of them", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setVersioning(store, "Enabled");
  await setRules({ noncurrent: { days: 1 }, expiration: { markers: true }, abortDays: 1 });
  for (let n = 0; n < PARALLEL; n++) {
    await putSized(store, "many", 1);
    await putSized(store, `one ${n}`, 1);
    await remove(store, `one ${n}`);
    await begin(store, `upload ${n}`);
  }
  await putSized(store, "many", 2);
  wait(4);
  let [working, most, looks] = [0, 0, 0];
  const busy = async <T>(work: () => Promise<T>): Promise<T> => {
    most = Math.max(most, ++working);
    await new Promise((resolve) => setTimeout(resolve));
    return await work().finally(() => working--);
  };
  const did = await look({
    deleteObject: (...args) => busy(() => store.deleteObject(...args)),
    abortUpload: (...args) => busy(() => store.abortUpload(...args)),
    readDocument(name, kind) {
      if (kind === "lifecycle") looks++;
      return store.readDocument(name, kind);
    },
  });
  strictEqual(did.removed.length, 4 * PARALLEL);
  deepStrictEqual(await left(), ["many 2"]);
  strictEqual(most, PARALLEL);
  strictEqual(looks, 1 + 5); // at the beginning, and before each batch; the last marker follows its page
});

Deno.test("a run goes on where a gateway died, and the next day has a run of its own", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setRules({ expiration: { days: 1 } });
  for (const name of ["a", "b", "c"]) await putSized(store, name, 1);
  wait(3);
  await look({ listObjects: () => Promise.reject(new S3Error("InternalError")) });
  strictEqual(await store.readDocument(bucket, "lifecycleRun"), undefined);
  // As a gateway leaves it that died after the key "b", two of which somebody wrote again.
  await look();
  const done = parseState(await store.readDocument(bucket, "lifecycleRun"));
  for (const name of ["a", "b", "c", "d"]) await putSized(store, name, 2);
  wait(6);
  const text = JSON.stringify({ ...done, isDone: false, after: "b" });
  await store.putDocument(bucket, "lifecycleRun", text);
  deepStrictEqual((await look()).removed, ["object", "object"]);
  deepStrictEqual(await left(), ["a 2", "b 2"]);
  deepStrictEqual((await look()).removed, ["object", "object"]);
  deepStrictEqual((await look()).ran, []);
  await store.putDocument(bucket, "lifecycleRun", "{");
  deepStrictEqual((await look()).ran, ["done"]);
});

Deno.test("errors do not end a run, unless nothing works any more", async () => {
  const { store, setRules, wait, look, left } = await lifecycleScene();
  await setRules({ expiration: { days: 1 } });
  const names = Array.from({ length: 30 }, (_, n) => `key ${String(n).padStart(2, "0")}`);
  for (const name of names) await putSized(store, name, 1);
  wait(4);
  const failing = (fails: (key: string) => boolean): MemoryStore["deleteObject"] => {
    return async (name, key, input) => {
      if (fails(key)) throw new S3Error("SlowDown");
      return await store.deleteObject(name, key, input);
    };
  };
  const none = await look({ deleteObject: failing(() => true) });
  deepStrictEqual([none.ran, none.kept.length], [["failed"], 19]);
  const some = await look({ deleteObject: failing((key) => key === "key 03") });
  deepStrictEqual([some.ran, some.removed.length, some.kept], [["done"], 29, ["failed"]]);
  deepStrictEqual(some.lag, { overdue: 1, lateBuckets: 0 });
  deepStrictEqual(await left(), ["key 03 1"]);
});

Deno.test("a configuration that nobody can read fails for its bucket alone", async () => {
  const { store, look } = await lifecycleScene();
  await store.putDocument(bucket, "lifecycle", "not XML");
  deepStrictEqual((await look()).ran, ["failed"]);
});
