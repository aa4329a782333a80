/**
 * The promises about renaming objects.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { RenamePrecondition } from "../../src/s3/rename.ts";
import type { RenameInput } from "../../src/store/objects.ts";
import type { Store } from "../../src/store/store.ts";
import { bucket, completion, key, KIB, MIN_PART_SIZE, pattern } from "./inputs.ts";
import { list, put, rejectsWith, sameBytes, text, upload } from "./steps.ts";
import type { Test } from "./store_under_test.ts";

function rename(
  store: Store,
  source: string,
  name: string,
  given: Partial<RenamePrecondition> & Pick<RenameInput, "idempotency"> = {},
): ReturnType<Store["renameObject"]> {
  const { source: ofSource = {}, destination = {}, idempotency } = given;
  const precondition = { source: ofSource, destination };
  return store.renameObject(bucket, key(source), key(name), { precondition, idempotency });
}

/** Registers the tests of this file. */
export function renameContract(test: Test): void {
  test("renames an object of any size; everything but its key stays", async ({ store }) => {
    const properties = {
      system: { contentType: "text/css", cacheControl: "no-store" },
      user: { color: "red" },
      tags: { team: "a" },
    };
    for (const size of [0, 1, 300 * KIB]) {
      const bytes = pattern(size);
      const before = await put(store, "a", bytes, { properties, algorithm: "CRC32" });
      deepStrictEqual(await rename(store, "a", "b"), { size, etag: before.etag });
      const content = await store.getObject(bucket, key("b"), () => "all");
      deepStrictEqual(content.info, { ...before, key: "b" });
      await sameBytes(content, bytes);
      await rejectsWith("NoSuchKey", store.readObject(bucket, key("a")));
      deepStrictEqual((await list(store)).keys, ["b"]);
    }
  });

  test("renames an object in parts, and keeps their sizes and checksums", async ({ store }) => {
    const pieces = [pattern(MIN_PART_SIZE, 1), pattern(10, 2)];
    const { id, parts } = await upload(store, "a", pieces, {
      algorithm: "SHA256",
      checksumType: "COMPOSITE",
    });
    await store.completeUpload(bucket, key("a"), id, completion(parts, "SHA256"));
    const before = await store.readObject(bucket, key("a"), { partChecksums: true });
    ok(before.partChecksums?.length === 2);
    await rename(store, "a", "b");
    const after = await store.readObject(bucket, key("b"), { partChecksums: true });
    deepStrictEqual(after, { ...before, key: "b" });
    const whole = new Uint8Array(pieces.flatMap((piece) => [...piece]));
    await sameBytes(await store.getObject(bucket, key("b"), () => "all"), whole);
  });

  test("renames onto another object, in a chain, and back", async ({ store }) => {
    for (const [name, data] of [["a", "new"], ["b", "old"]] as const) await put(store, name, data);
    for (const [source, name] of [["a", "b"], ["b", "c"], ["c", "a"]] as const) {
      await rename(store, source, name);
      strictEqual(await text(store, name), "new");
      deepStrictEqual((await list(store)).keys, [name]);
    }
    await put(store, "b", "other");
    strictEqual(await text(store, "a"), "new");
    await put(store, "a", "newer");
    deepStrictEqual([await text(store, "a"), await text(store, "b")], ["newer", "other"]);
  });

  test("renames onto itself without a change, and a missing object not at all", async ({ store }) => {
    const before = await put(store, "a", "x");
    await rename(store, "a", "a");
    deepStrictEqual(await store.readObject(bucket, key("a")), before);
    const absent = { ifNoneMatch: "*" } as const;
    await rejectsWith("PreconditionFailed", rename(store, "a", "a", { destination: absent }));
    await rejectsWith("NoSuchKey", rename(store, "missing", "a"));
    await rejectsWith("NoSuchKey", rename(store, "missing", "missing"));
    strictEqual(await text(store, "a"), "x");
  });

  test("checks the conditions on both ends of a rename", async ({ store }) => {
    const { etag } = await put(store, "a", "x");
    const { etag: other } = await put(store, "b", "y");
    const [past, future] = [new Date(0), new Date(Date.now() + 1e9)];
    const refused = [
      { source: { ifMatch: [other] } },
      { source: { ifNoneMatch: "*" } },
      { source: { ifModifiedSince: future } },
      { source: { ifUnmodifiedSince: past } },
      { destination: { ifMatch: [etag] } },
      { destination: { ifNoneMatch: "*" } },
      { destination: { ifModifiedSince: future } },
      { destination: { ifUnmodifiedSince: past } },
    ] as const;
    for (const precondition of refused) {
      await rejectsWith("PreconditionFailed", rename(store, "a", "b", precondition));
    }
    for (const destination of [{ ifMatch: "*" }, { ifModifiedSince: past }] as const) {
      await rejectsWith("PreconditionFailed", rename(store, "a", "new", { destination }));
    }
    deepStrictEqual([await text(store, "a"), await text(store, "b")], ["x", "y"]);
    const source = { ifMatch: [etag], ifNoneMatch: [other] };
    await rename(store, "a", "b", { source, destination: { ifMatch: [other] } });
    const absent = { ifNoneMatch: "*", ifUnmodifiedSince: past } as const;
    await rename(store, "b", "c", { destination: absent });
    deepStrictEqual((await list(store)).keys, ["c"]);
  });

  test("does a rename of one token once", async ({ store }) => {
    const { etag } = await put(store, "a", "x");
    const idempotency = { token: "t", parameters: "a b" };
    const first = await rename(store, "a", "b", { idempotency });
    const { etag: second } = await put(store, "a", "later");
    deepStrictEqual(await rename(store, "a", "b", { idempotency }), first);
    deepStrictEqual([first.etag, second === etag], [etag, false]);
    deepStrictEqual([await text(store, "a"), await text(store, "b")], ["later", "x"]);
    await rejectsWith(
      "IdempotencyParameterMismatch",
      rename(store, "a", "c", { idempotency: { ...idempotency, parameters: "a c" } }),
    );
    await rename(store, "a", "c", { idempotency: { ...idempotency, token: "u" } });
    deepStrictEqual((await list(store)).keys, ["b", "c"]);
  });

  test("lets exactly one of several renames of an object win", async ({ store }) => {
    await put(store, "a", "x");
    const names = ["b", "c", "d", "e"];
    const results = await Promise.allSettled(names.map((name) => rename(store, "a", name)));
    strictEqual(results.filter(({ status }) => status === "fulfilled").length, 1);
    for (const result of results) {
      if (result.status === "rejected") strictEqual(result.reason.code, "NoSuchKey");
    }
    const { keys } = await list(store);
    strictEqual(keys.length, 1);
    strictEqual(await text(store, keys[0] ?? ""), "x");
  });
}
