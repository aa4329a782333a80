/**
 * The promises about reading and replacing objects.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { S3Error } from "../../src/s3/errors.ts";
import { compareUtf8 } from "../../src/s3/key_order.ts";
import type { ObjectProperties } from "../../src/s3/metadata.ts";
import type { ChooseRange, ObjectInfo } from "../../src/store/objects.ts";
import { bucket, key, KIB, OWNER, pattern, plain } from "./inputs.ts";
import { list, md5Of, put, rejectsWith, sameBytes, text } from "./steps.ts";
import type { Test } from "./store_under_test.ts";
import { WEIRD_KEYS } from "./weird_keys.ts";

/** Registers the tests of this file. */
export function objectContract(test: Test): void {
  const sizes = [
    0,
    1,
    127 * KIB,
    128 * KIB - 1,
    128 * KIB,
    128 * KIB + 1,
    129 * KIB,
    256 * KIB - 1,
    256 * KIB,
    256 * KIB + 1,
    1024 * KIB + 3,
  ];

  test("returns the bytes that were put, of any size", async ({ store }) => {
    for (const size of sizes) {
      const bytes = pattern(size);
      const info = await put(store, `size-${size}`, bytes);
      deepStrictEqual([info.size, info.etag], [size, md5Of(bytes)]);
      const content = await store.getObject(bucket, key(`size-${size}`), () => "all");
      strictEqual(content.range, "all");
      await sameBytes(content, bytes);
      const { etag, size: head } = await store.readObject(bucket, key(`size-${size}`));
      deepStrictEqual([head, etag], [size, md5Of(bytes)]);
    }
  });

  test("takes a body of unknown size, in pieces of any size", async ({ store }) => {
    for (const piece of [1, 1000, 64 * KIB, 300 * KIB]) {
      const bytes = pattern(piece === 1 ? 3 : 400 * KIB);
      await put(store, "k", bytes, { size: undefined, piece });
      await sameBytes(await store.getObject(bucket, key("k"), () => "all"), bytes);
    }
  });

  test("returns ranges across the ends of chunks", async ({ store }) => {
    const bytes = pattern(700 * KIB + 5);
    await put(store, "k", bytes);
    const edges = [0, 1, 128 * KIB - 1, 128 * KIB, 256 * KIB, 512 * KIB + 1, bytes.length - 1];
    for (const start of edges) {
      for (const end of edges.filter((edge) => edge >= start)) {
        const content = await store.getObject(bucket, key("k"), () => ({ start, end }));
        deepStrictEqual(content.range, { start, end });
        await sameBytes(content, bytes.subarray(start, end + 1));
      }
    }
  });

  test("reads nothing when nothing is chosen, and passes what choosing throws", async ({ store }) => {
    await put(store, "k", "abc");
    const seen: ObjectInfo[] = [];
    const choose: ChooseRange = (info) => {
      seen.push(info);
      return "nothing";
    };
    const { body, info } = await store.getObject(bucket, key("k"), choose);
    strictEqual(body, null);
    deepStrictEqual(seen, [info]);
    const refuse = (): never => {
      throw new S3Error("PreconditionFailed");
    };
    await rejectsWith("PreconditionFailed", store.getObject(bucket, key("k"), refuse));
  });

  test("goes on after a reader leaves in the middle", async ({ store }) => {
    const bytes = pattern(2 * 1024 * KIB);
    await put(store, "k", bytes);
    for (let i = 0; i < 5; i++) {
      const { body } = await store.getObject(bucket, key("k"), () => "all");
      if (body instanceof ReadableStream) {
        const reader = body.getReader();
        await reader.read();
        await reader.cancel();
      }
    }
    await sameBytes(await store.getObject(bucket, key("k"), () => "all"), bytes);
  });

  test("replaces an object whole", async ({ store }) => {
    await put(store, "k", pattern(300 * KIB), { properties: { ...plain, user: { old: "1" } } });
    await put(store, "k", "new");
    strictEqual(await text(store, "k"), "new");
    deepStrictEqual((await store.readObject(bucket, key("k"))).properties.user, {});
    deepStrictEqual((await list(store)).keys, ["k"]);
  });

  test("ends a read with the object it began with", async ({ store }) => {
    const old = pattern(1024 * KIB);
    await put(store, "k", old);
    const content = await store.getObject(bucket, key("k"), () => "all");
    await put(store, "k", "new");
    await sameBytes(content, old);
    const again = await store.getObject(bucket, key("k"), () => "all");
    await store.deleteObject(bucket, key("k"), { precondition: {} });
    await sameBytes(again, Buffer.from("new"));
  });

  test("throws NoSuchKey for what is not there", async ({ store }) => {
    await rejectsWith("NoSuchKey", store.readObject(bucket, key("k")));
    await rejectsWith("NoSuchKey", store.getObject(bucket, key("k"), () => "all"));
    await put(store, "k", "x");
    await store.deleteObject(bucket, key("k"), { precondition: {} });
    await rejectsWith("NoSuchKey", store.readObject(bucket, key("k")));
    await rejectsWith("NoSuchKey", store.getObject(bucket, key("k"), () => "all"));
  });

  test("deletes what is not there without complaint", async ({ store }) => {
    await store.deleteObject(bucket, key("k"), { precondition: {} });
    await put(store, "k", "x");
    await store.deleteObject(bucket, key("k"), { precondition: {} });
    await store.deleteObject(bucket, key("k"), { precondition: {} });
    deepStrictEqual((await list(store)).keys, []);
    await put(store, "k", "y");
    strictEqual(await text(store, "k"), "y");
  });

  test("keeps properties, owner and time", async ({ store }) => {
    const properties: ObjectProperties = {
      system: {
        contentType: "text/plain; charset=utf-8",
        cacheControl: "max-age=1",
        contentDisposition: 'attachment; filename="é.txt"',
        contentEncoding: "gzip",
        contentLanguage: "de",
        expires: "Thu, 01 Dec 2050 16:00:00 GMT",
        websiteRedirect: "/other",
        storageClass: "STANDARD_IA",
      },
      user: { "a": "1", "name-with.dots_and": " 漢字 é 😀 ", "empty": "" },
      tags: { "Ключ": "значение", "k+ =/": "v", "empty": "" },
    };
    const written = await put(store, "k", "abc", { properties });
    const read = await store.readObject(bucket, key("k"));
    deepStrictEqual(read, written);
    deepStrictEqual(read.properties, properties);
    deepStrictEqual(
      [read.key, read.owner, read.partSizes, read.retention, read.checksum],
      [key("k"), OWNER, undefined, undefined, undefined],
    );
    ok(Math.abs(Date.now() - read.modified.getTime()) < 60_000);
    strictEqual((await list(store)).objects[0]?.storageClass, "STANDARD_IA");
  });

  test("keeps keys as they are", async ({ store }) => {
    for (const [i, weird] of WEIRD_KEYS.entries()) await put(store, weird, `object ${i}`);
    deepStrictEqual((await list(store)).keys, [...WEIRD_KEYS].sort(compareUtf8));
    for (const [i, weird] of WEIRD_KEYS.entries()) {
      strictEqual(await text(store, weird), `object ${i}`, weird);
      strictEqual((await store.readObject(bucket, key(weird))).key, weird);
    }
    for (const weird of WEIRD_KEYS) {
      await store.deleteObject(bucket, key(weird), { precondition: {} });
    }
    deepStrictEqual((await list(store)).keys, []);
  });
}
