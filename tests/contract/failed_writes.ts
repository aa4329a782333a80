/**
 * The promises about writes that fail: they keep nothing.
 * @module
 */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { S3Error } from "../../src/s3/errors.ts";
import { bucket, completion, key, KIB, objectInput, pattern } from "./inputs.ts";
import { list, put, rejectsWith, text, upload } from "./steps.ts";
import type { Test } from "./store_under_test.ts";

/** Registers the tests of this file. */
export function failedWriteContract(test: Test): void {
  test("keeps nothing of a write that verify refuses", async ({ store }) => {
    const verify = (): never => {
      throw new S3Error("BadDigest");
    };
    for (const size of [0, 3, 300 * KIB]) {
      await rejectsWith("BadDigest", put(store, "new", pattern(size), { verify }));
    }
    await put(store, "k", "old");
    await rejectsWith("BadDigest", put(store, "k", "changed", { verify }));
    strictEqual(await text(store, "k"), "old");
    deepStrictEqual((await list(store)).keys, ["k"]);
  });

  test("refuses a body that is shorter or longer than it says", async ({ store }) => {
    for (const [actual, stated] of [[2, 3], [4, 3], [0, 1], [1, 0], [300 * KIB, 301 * KIB]]) {
      const call = put(store, "k", pattern(actual ?? 0), { size: stated });
      await rejectsWith("IncompleteBody", call, `${actual} for ${stated}`);
    }
    deepStrictEqual((await list(store)).keys, []);
  });

  test("throws the error of a body that breaks, and keeps nothing", async ({ store }) => {
    const broken = new S3Error("SignatureDoesNotMatch");
    for (const good of [0, 10, 300 * KIB]) {
      const stream = new ReadableStream<Uint8Array>({
        start(controller): void {
          if (good > 0) controller.enqueue(pattern(good));
        },
        pull: (controller) => controller.error(broken),
      });
      const input = objectInput("");
      const call = store.putObject(bucket, key("k"), {
        ...input,
        content: { ...input.content, stream, size: 400 * KIB },
      });
      await rejects(call, (cause) => cause === broken);
    }
    deepStrictEqual((await list(store)).keys, []);
  });

  test("ends a write whose signal aborts, and cancels its body", async ({ store }) => {
    const aborter = new AbortController();
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(pattern(200 * KIB)),
      pull: () => aborter.abort(),
      cancel: () => void (cancelled = true),
    }, { highWaterMark: 0 });
    const input = objectInput("");
    await rejects(store.putObject(bucket, key("k"), {
      ...input,
      content: { ...input.content, stream, size: undefined },
      signal: aborter.signal,
    }));
    ok(cancelled);
    deepStrictEqual((await list(store)).keys, []);
  });

  test("neither deletes nor replaces a locked object", async ({ store, retain }) => {
    await put(store, "k", "kept");
    await retain(bucket, key("k"), new Date(Date.now() + 3_600_000));
    ok((await store.readObject(bucket, key("k"))).retention !== undefined);
    await rejectsWith("AccessDenied", store.deleteObject(bucket, key("k"), { precondition: {} }));
    await rejectsWith("AccessDenied", put(store, "k", "changed"));
    const { id, parts } = await upload(store, "k", [pattern(10)]);
    await rejectsWith(
      "AccessDenied",
      store.completeUpload(bucket, key("k"), id, completion(parts)),
    );
    strictEqual(await text(store, "k"), "kept");

    await put(store, "past", "x");
    await retain(bucket, key("past"), new Date(Date.now() - 1000));
    await store.deleteObject(bucket, key("past"), { precondition: {} });
  });
}
