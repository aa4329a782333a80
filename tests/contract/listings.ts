/**
 * The promises about lists of objects, parts and uploads.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { compareUtf8 } from "../../src/s3/key_order.ts";
import type { UploadId } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import { bucket, completion, key, OWNER, part, partInput, uploadInput } from "./inputs.ts";
import { list, put, upload } from "./steps.ts";
import type { Test } from "./store_under_test.ts";

/** Registers the tests of this file. */
export function listingContract(test: Test): void {
  test("lists in the order of bytes, in pages of any size", async ({ store }) => {
    const keys = [
      "a",
      "a/",
      "a/1",
      "a/2/x",
      "a/2/y",
      "a0",
      "b//c",
      "c！/1",
      "c😀/1",
      "d",
      "！",
      "\uffee",
      "😀",
    ];
    await Promise.all(keys.map((key) => put(store, key, key)));

    const rows: [prefix: string, delimiter: string, expected: string[]][] = [
      ["", "", keys],
      ["", "/", ["a", "a/", "a0", "b/", "c！/", "c😀/", "d", "！", "\uffee", "😀"]],
      ["a/", "/", ["a/", "a/1", "a/2/"]],
      ["a/2/", "/", ["a/2/x", "a/2/y"]],
      ["a", "", ["a", "a/", "a/1", "a/2/x", "a/2/y", "a0"]],
      ["", "//", [
        "a",
        "a/",
        "a/1",
        "a/2/x",
        "a/2/y",
        "a0",
        "b//",
        "c！/1",
        "c😀/1",
        "d",
        "！",
        "\uffee",
        "😀",
      ]],
      ["none", "/", []],
    ];
    for (const [prefix, delimiter, expected] of rows) {
      for (const limit of [1, 3, 1000]) {
        const shown: string[] = [];
        let after: string | undefined = "";
        while (after !== undefined) {
          const page: Awaited<ReturnType<typeof list>> = await list(store, {
            prefix,
            delimiter,
            after,
            limit,
          });
          const items = [...page.keys, ...page.commonPrefixes].sort(compareUtf8);
          ok(items.length <= limit);
          if (page.next !== undefined) strictEqual(page.next, items.at(-1));
          shown.push(...items);
          after = page.next;
        }
        deepStrictEqual(shown, expected, `prefix "${prefix}", delimiter "${delimiter}"`);
      }
    }
  });

  test("begins a listing after a text", async ({ store }) => {
    for (const name of ["a/1", "a/2", "b", "c"]) await put(store, name, "");
    const items = async (after: string, delimiter: string): Promise<string[]> => {
      const { keys, commonPrefixes } = await list(store, { after, delimiter });
      return [...commonPrefixes, ...keys];
    };
    deepStrictEqual(await items("a/1", ""), ["a/2", "b", "c"]);
    deepStrictEqual(await items("a/1", "/"), ["a/", "b", "c"]);
    deepStrictEqual(await items("a/", "/"), ["b", "c"]);
    deepStrictEqual(await items("aa", "/"), ["b", "c"]);
    deepStrictEqual(await items("c", ""), []);
  });

  test("lists what a listing shows of each object", async ({ store }) => {
    const { etag, size, modified } = await put(store, "k", "abc");
    deepStrictEqual((await list(store)).objects, [{
      key: key("k"),
      size,
      etag,
      modified,
      owner: OWNER,
      checksum: undefined,
      storageClass: undefined,
    }]);
  });

  test("lists nothing for a limit of 0, and is not truncated", async ({ store }) => {
    await put(store, "k", "");
    const { keys, next } = await list(store, { limit: 0 });
    deepStrictEqual([keys, next], [[], undefined]);
  });

  test("shows each write in the listing that follows", async ({ store }) => {
    const expected = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const name = `k${i % 10}`;
      if (i % 3 === 2) {
        await store.deleteObject(bucket, key(name), { precondition: {} });
        expected.delete(name);
      } else {
        await put(store, name, `${i}`);
        expected.add(name);
      }
      deepStrictEqual((await list(store)).keys, [...expected].sort());
    }
  });

  test("lists parts in pages", async ({ store }) => {
    const id = await store.createUpload(bucket, key("k"), uploadInput());
    for (const number of [5, 1, 10, 9_999, 100]) {
      await store.putPart(bucket, key("k"), id, part(number), partInput(`part ${number}`));
    }
    for (const limit of [1, 2, 5, 1000]) {
      const numbers: number[] = [];
      let after: number | undefined = 0;
      while (after !== undefined) {
        const page: Awaited<ReturnType<Store["listParts"]>> = await store
          .listParts(bucket, key("k"), id, { after, limit });
        strictEqual(page.upload.id, id);
        numbers.push(...page.items.map(({ number }) => number));
        after = page.next;
      }
      deepStrictEqual(numbers, [1, 5, 10, 100, 9_999]);
    }
  });

  test("lists the uploads in progress in pages", async ({ store }) => {
    const created = new Map<UploadId, string>();
    for (const name of ["b/2", "a", "a", "b/1", "c", "a", "😀", "！"]) {
      created.set(await store.createUpload(bucket, key(name), uploadInput()), name);
    }
    const done = await upload(store, "done", ["x"]);
    await store.completeUpload(bucket, key("done"), done.id, completion(done.parts));
    const gone = await upload(store, "gone", ["x"]);
    await store.abortUpload(bucket, key("gone"), gone.id);

    for (const limit of [1, 2, 1000]) {
      const shown: [string, UploadId][] = [];
      let markers: { keyMarker: string; uploadIdMarker: string } | undefined = {
        keyMarker: "",
        uploadIdMarker: "",
      };
      while (markers !== undefined) {
        const page: Awaited<ReturnType<Store["listUploads"]>> = await store
          .listUploads(bucket, { prefix: "", delimiter: "", limit, ...markers });
        shown.push(...page.uploads.map(({ key, id }): [string, UploadId] => [key, id]));
        markers = page.next;
      }
      deepStrictEqual(shown.map(([name]) => name), [...created.values()].sort(compareUtf8));
      deepStrictEqual(new Map(shown.map(([name, id]) => [id, name])).size, created.size);
    }
    const grouped = await store.listUploads(bucket, {
      prefix: "",
      delimiter: "/",
      keyMarker: "a",
      uploadIdMarker: "",
      limit: 1000,
    });
    deepStrictEqual(grouped.commonPrefixes, ["b/"]);
    const within = {
      prefix: "",
      delimiter: "/",
      keyMarker: "b/1",
      uploadIdMarker: "",
      limit: 1000,
    };
    deepStrictEqual((await store.listUploads(bucket, within)).commonPrefixes, []);
    deepStrictEqual(grouped.uploads.map(({ key }) => key as string), ["c", "！", "😀"]);
  });
}
