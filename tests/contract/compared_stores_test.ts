/** Random operations on versions, on two stores. */

import { ok, rejects } from "node:assert/strict";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import type { Store } from "../../src/store/store.ts";
import { compareStores } from "./compared_stores.ts";
import { MIN_PART_SIZE } from "./inputs.ts";

const STEPS = 500;
const create = (): Store => createMemoryStore({ minPartSize: MIN_PART_SIZE });

Deno.test("two memory stores answer 500 random operations on versions alike", async () => {
  const answers = await compareStores([create(), create()], { seed: 1, steps: STEPS });
  const expected = [
    ...["put ok", "put PreconditionFailed", "put AccessDenied", "put InvalidArgument"],
    ...["upload ok", "delete ok", "delete NoSuchKey", "delete AccessDenied"],
    ...["remove ok", "remove AccessDenied", "tag ok", "tag NoSuchVersion", "tag MethodNotAllowed"],
    ...["lock ok", "lock AccessDenied", "lock InvalidArgument", "read ok", "read NoSuchVersion"],
    ...["list ok", "rename InvalidBucketState", "versioning ok", "delete BucketNotEmpty"],
  ];
  const missing = expected.filter((kind) => (answers.get(kind) ?? 0) === 0);
  ok(missing.length === 0, `never happened: ${missing.join(", ")}`);
});

Deno.test("compareStores() finds the faults of a store", async () => {
  const faults: Record<string, (store: Store) => Partial<Store>> = {
    "an overwritten version null stays": (store) => ({
      putDocument: (name, kind) => store.putDocument(name, kind, "Enabled"),
    }),
    "the bypass passes no lock": (store) => ({
      deleteObject: (name, key, input) =>
        store.deleteObject(name, key, { ...input, bypass: false }),
    }),
    "conditions are ignored": (store) => ({
      putObject: (name, key, input) => store.putObject(name, key, { ...input, precondition: {} }),
    }),
    "a lock is not kept": (store) => ({
      putObject: (name, key, { lock: _, ...input }) => store.putObject(name, key, input),
    }),
    "tags of a version go to the current one": (store) => ({
      putObjectTags: (name, key, tags) => store.putObjectTags(name, key, tags),
    }),
    "a page loses its last version": (store) => ({
      async listVersions(name, query) {
        const page = await store.listVersions(name, query);
        const isCut = page.next !== undefined && page.versions.length > 1;
        return isCut ? { ...page, versions: page.versions.slice(0, -1) } : page;
      },
    }),
  };
  for (const [fault, change] of Object.entries(faults)) {
    const store = create();
    const faulty = { ...store, ...change(store) };
    await rejects(
      compareStores([create(), faulty], { seed: 1, steps: STEPS }),
      /^Error: seed 1/,
      fault,
    );
  }
});
