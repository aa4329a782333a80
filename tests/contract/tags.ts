/**
 * The promises about tags of objects.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { BucketName } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import { bucket, completion, key, KIB, MIN_PART_SIZE, pattern, plain } from "./inputs.ts";
import { list, put, rejectsWith, sameBytes, text, upload } from "./steps.ts";
import type { Test } from "./store_under_test.ts";

type Tags = Readonly<Record<string, string>>;

const tag = (store: Store, name: string, tags: Tags): Promise<unknown> =>
  store.putObjectTags(bucket, key(name), tags);

async function tagsOf(store: Store, name: string): Promise<Tags> {
  return (await store.readObject(bucket, key(name))).properties.tags;
}

/** Registers the tests of this file. */
export function tagContract(test: Test): void {
  test("replaces the tags of an object of any size, and nothing else", async ({ store }) => {
    const properties = {
      system: { contentType: "text/css", cacheControl: "no-store" },
      user: { color: "red", "x-amz-tag-team": "no tag" },
      tags: { team: "a", stage: "raw" },
    };
    for (const size of [0, 1, 300 * KIB]) {
      const bytes = pattern(size);
      const before = await put(store, "a", bytes, { properties, algorithm: "CRC32" });
      const listed = await list(store);
      for (const tags of [{ team: "b" }, { team: "b", Team: "c" }, {}, { x: "" }]) {
        await tag(store, "a", tags);
        const content = await store.getObject(bucket, key("a"), () => "all");
        deepStrictEqual(content.info, { ...before, properties: { ...properties, tags } });
        await sameBytes(content, bytes);
        deepStrictEqual(await list(store), listed);
      }
    }
  });

  test("keeps any legal key and value of a tag", async ({ store }) => {
    const tags = Object.fromEntries([
      ["__proto__", "constructor"],
      ["10", "ten"],
      ["9", "nine"],
      ["Key", "1"],
      ["key", "2"],
      [" ", " "],
      ["=+-._:/@", "=+-._:/@"],
      ["é", "日本"],
      ["k".repeat(128), "v".repeat(256)],
      ["ends.", ""],
    ]);
    await put(store, "a", "x", { properties: { ...plain, tags } });
    const sorted = (given: Tags): [string, string][] => Object.entries(given).sort();
    deepStrictEqual(sorted(await tagsOf(store, "a")), sorted(tags));
    await put(store, "b", "x");
    await tag(store, "b", tags);
    deepStrictEqual(sorted(await tagsOf(store, "b")), sorted(tags));
  });

  test("tags an object in parts, and keeps the tags of the upload until then", async ({ store }) => {
    const pieces = [pattern(MIN_PART_SIZE, 1), pattern(10, 2)];
    const properties = { ...plain, tags: { team: "a" } };
    const { id, parts } = await upload(store, "a", pieces, {
      algorithm: "SHA256",
      checksumType: "COMPOSITE",
      properties,
    });
    await store.completeUpload(bucket, key("a"), id, completion(parts, "SHA256"));
    const before = await store.readObject(bucket, key("a"), { partChecksums: true });
    deepStrictEqual(before.properties.tags, { team: "a" });
    await tag(store, "a", { team: "b" });
    const after = await store.readObject(bucket, key("a"), { partChecksums: true });
    deepStrictEqual(after, { ...before, properties: { ...properties, tags: { team: "b" } } });
    const whole = new Uint8Array(pieces.flatMap((piece) => [...piece]));
    await sameBytes(await store.getObject(bucket, key("a"), () => "all"), whole);
  });

  test("tags a locked object, whose lock stays", async ({ store, retain }) => {
    await put(store, "a", "x");
    const until = new Date(Date.now() + 3_600_000);
    await retain(bucket, key("a"), until);
    await tag(store, "a", { team: "a" });
    deepStrictEqual(await tagsOf(store, "a"), { team: "a" });
    deepStrictEqual((await store.readObject(bucket, key("a"))).retention?.until, until);
    await rejectsWith("AccessDenied", store.deleteObject(bucket, key("a"), { precondition: {} }));
  });

  test("tags no missing object", async ({ store }) => {
    await rejectsWith("NoSuchKey", tag(store, "missing", { a: "1" }));
    await put(store, "a", "x");
    await store.deleteObject(bucket, key("a"), { precondition: {} });
    await rejectsWith("NoSuchKey", tag(store, "a", {}));
    deepStrictEqual((await list(store)).keys, []);
    const missing = "missing" as BucketName;
    await rejectsWith("NoSuchBucket", store.putObjectTags(missing, key("a"), {}));
  });

  test("keeps one whole set of several writers of tags, beside writers of the object", async ({ store }) => {
    for (let round = 0; round < 5; round++) {
      await put(store, "a", "old");
      const sets = Array.from({ length: 8 }, (_, i): Tags => ({ [`k${i}`]: "1", writer: `${i}` }));
      const puts = ["p", "q"].map((name) => ({ ...plain, tags: { put: name } }));
      await Promise.all([
        ...sets.slice(0, 4).map((tags) => tag(store, "a", tags)),
        ...puts.map((properties) => put(store, "a", properties.tags.put, { properties })),
        ...sets.slice(4).map((tags) => tag(store, "a", tags)),
      ]);
      const tags = await tagsOf(store, "a");
      const possible = [...sets, ...puts.map(({ tags }) => tags)].map((set) => JSON.stringify(set));
      ok(possible.includes(JSON.stringify(tags)), JSON.stringify(tags));
      const shown = await text(store, "a");
      ok(["p", "q"].includes(shown), shown);
      if (tags["put"] !== undefined) strictEqual(shown, tags["put"]);
    }
  });
}
