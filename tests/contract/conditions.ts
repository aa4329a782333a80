/**
 * The promises about conditions and about writers that race.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { WritePrecondition } from "../../src/s3/conditions.ts";
import type { ObjectInfo } from "../../src/store/objects.ts";
import { bucket, completion, key } from "./inputs.ts";
import { codeOf, list, md5Of, put, rejectsWith, text, upload } from "./steps.ts";
import type { Test } from "./store_under_test.ts";

/** Registers the tests of this file. */
export function conditionContract(test: Test): void {
  test("lets one of fifty racing If-None-Match writers win", async ({ store }) => {
    const writers = Array.from({ length: 50 }, (_, i) => `writer ${i}`);
    const outcomes = await Promise.allSettled(
      writers.map((text) => put(store, "k", text, { precondition: { ifNoneMatch: "*" } })),
    );
    const winners = writers.filter((_, i) => outcomes[i]?.status === "fulfilled");
    strictEqual(winners.length, 1);
    strictEqual(await text(store, "k"), winners[0]);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") strictEqual(codeOf(outcome.reason), "PreconditionFailed");
    }
  });

  test("lets one of racing If-Match writers win", async ({ store }) => {
    const { etag } = await put(store, "k", "first");
    const writers = Array.from({ length: 20 }, (_, i) => `writer ${i}`);
    const outcomes = await Promise.allSettled(
      writers.map((text) => put(store, "k", text, { precondition: { ifMatch: etag } })),
    );
    const winners = writers.filter((_, i) => outcomes[i]?.status === "fulfilled");
    strictEqual(winners.length, 1);
    strictEqual(await text(store, "k"), winners[0]);
  });

  test("lets all writers without a condition win, one last", async ({ store }) => {
    const writers = Array.from({ length: 20 }, (_, i) => `writer ${i}`);
    await Promise.all(writers.map((text) => put(store, "k", text)));
    ok(writers.includes(await text(store, "k")));
    deepStrictEqual((await list(store)).keys, ["k"]);
  });

  test("checks the conditions of writes", async ({ store }) => {
    const write = (key: string, precondition: WritePrecondition): Promise<ObjectInfo> =>
      put(store, key, "second", { precondition });
    const { etag } = await put(store, "k", "first");
    await rejectsWith("PreconditionFailed", write("k", { ifNoneMatch: "*" }));
    await rejectsWith("PreconditionFailed", write("k", { ifMatch: "0".repeat(32) }));
    await rejectsWith("NoSuchKey", write("none", { ifMatch: etag }));
    await rejectsWith("NoSuchKey", write("none", { ifMatch: "*" }));
    strictEqual(await text(store, "k"), "first");
    await write("k", { ifMatch: etag });
    await write("k", { ifMatch: "*" });
    strictEqual(await text(store, "k"), "second");
    await store.deleteObject(bucket, key("k"), { precondition: {} });
    await write("k", { ifNoneMatch: "*" });
  });

  test("checks the conditions of deletes", async ({ store }) => {
    const { etag } = await put(store, "k", "x");
    const call = store.deleteObject(bucket, key("k"), {
      precondition: { ifMatch: "0".repeat(32) },
    });
    await rejectsWith("PreconditionFailed", call);
    strictEqual(await text(store, "k"), "x");
    await store.deleteObject(bucket, key("k"), { precondition: { ifMatch: etag } });
    await rejectsWith("NoSuchKey", store.readObject(bucket, key("k")));
    for (const ifMatch of [etag, "*"]) {
      await rejectsWith(
        "NoSuchKey",
        store.deleteObject(bucket, key("k"), { precondition: { ifMatch } }),
      );
    }
    await put(store, "k", "x");
    await store.deleteObject(bucket, key("k"), { precondition: { ifMatch: "*" } });
    deepStrictEqual((await list(store)).keys, []);
  });

  test("checks size and time of deletes", async ({ store }) => {
    const { modified } = await put(store, "k", "x");
    const another = new Date(modified.getTime() + 1000);
    for (const precondition of [{ ifMatchSize: 2 }, { ifMatchModified: another }]) {
      const call = store.deleteObject(bucket, key("k"), { precondition });
      await rejectsWith("PreconditionFailed", call);
    }
    strictEqual(await text(store, "k"), "x");
    const same = { ifMatchSize: 1, ifMatchModified: modified };
    await store.deleteObject(bucket, key("k"), { precondition: same });
    deepStrictEqual((await list(store)).keys, []);
    await store.deleteObject(bucket, key("k"), { precondition: same });
  });

  test("checks the conditions of Complete", async ({ store }) => {
    const { id, parts } = await upload(store, "k", ["abc"]);
    await put(store, "k", "there");
    const input = completion(parts);
    const complete = (precondition: WritePrecondition): Promise<ObjectInfo> =>
      store.completeUpload(bucket, key("k"), id, { ...input, precondition });
    await rejectsWith("PreconditionFailed", complete({ ifNoneMatch: "*" }));
    await rejectsWith("PreconditionFailed", complete({ ifMatch: "0".repeat(32) }));
    strictEqual(await text(store, "k"), "there");
    await complete({ ifMatch: md5Of(Buffer.from("there")) });
    strictEqual(await text(store, "k"), "abc");
    // Asked again, it says what it did: the object that is there now is its own.
    await complete({ ifMatch: md5Of(Buffer.from("there")) });
    await complete({ ifNoneMatch: "*" });
    strictEqual(await text(store, "k"), "abc");
  });

  test("lets one of racing conditional Completes win", async ({ store }) => {
    const uploads = await Promise.all(
      Array.from({ length: 8 }, (_, i) => upload(store, "k", [`upload ${i}`])),
    );
    const outcomes = await Promise.allSettled(
      uploads.map(({ id, parts }) =>
        store.completeUpload(bucket, key("k"), id, {
          ...completion(parts),
          precondition: { ifNoneMatch: "*" },
        })
      ),
    );
    const winners = outcomes.flatMap(({ status }, i) => status === "fulfilled" ? [i] : []);
    strictEqual(winners.length, 1);
    strictEqual(await text(store, "k"), `upload ${winners[0]}`);
  });
}
