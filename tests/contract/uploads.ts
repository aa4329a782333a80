/**
 * The promises about multipart uploads.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { S3Error } from "../../src/s3/errors.ts";
import { multipartETag } from "../../src/s3/etag.ts";
import type { ObjectProperties } from "../../src/s3/metadata.ts";
import type { UploadId } from "../../src/s3/names.ts";
import type { ObjectInfo } from "../../src/store/objects.ts";
import type { CompleteInput, PartInfo } from "../../src/store/uploads.ts";
import {
  bucket,
  completion,
  key,
  KIB,
  MIN_PART_SIZE,
  OWNER,
  part,
  partInput,
  pattern,
  uploadInput,
} from "./inputs.ts";
import { codeOf, list, md5Of, rejectsWith, sameBytes, text, upload } from "./steps.ts";
import type { Test } from "./store_under_test.ts";

/** Registers the tests of this file. */
export function uploadContract(test: Test): void {
  test("makes an object of parts that came out of order", async ({ store }) => {
    const pieces = [pattern(MIN_PART_SIZE + 7), pattern(200 * KIB, 1), pattern(5, 2)];
    const id = await store.createUpload(bucket, key("k"), uploadInput());
    const parts: PartInfo[] = [];
    for (const number of [7, 2, 10_000]) {
      const bytes = pieces[[2, 7, 10_000].indexOf(number)] ?? Buffer.of();
      const info = await store.putPart(bucket, key("k"), id, part(number), partInput(bytes));
      deepStrictEqual([info.number, info.size, info.etag], [number, bytes.length, md5Of(bytes)]);
      parts.push(info);
    }
    await rejectsWith("NoSuchKey", store.readObject(bucket, key("k")));
    deepStrictEqual((await list(store)).keys, []);

    parts.sort((a, b) => a.number - b.number);
    const done = await store.completeUpload(bucket, key("k"), id, completion(parts));
    const whole = Buffer.concat(pieces);
    strictEqual(done.etag, multipartETag(pieces.map(md5Of)));
    strictEqual(done.size, whole.length);
    deepStrictEqual(done.partSizes, pieces.map(({ length }) => length));
    deepStrictEqual(await store.readObject(bucket, key("k")), done);
    await sameBytes(await store.getObject(bucket, key("k"), () => "all"), whole);

    const seam = pieces[0]?.length ?? 0;
    for (
      const [start, end] of [[seam - 2, seam + 2], [seam, seam], [0, 0], [
        whole.length - 6,
        whole.length - 1,
      ], [1, whole.length - 2]]
    ) {
      const range = { start: start ?? 0, end: end ?? 0 };
      const content = await store.getObject(bucket, key("k"), () => range);
      await sameBytes(content, whole.subarray(range.start, range.end + 1));
    }
    const { objects } = await list(store);
    deepStrictEqual(objects.map(({ size, etag }) => [size, etag]), [[whole.length, done.etag]]);
  });

  test("keeps the properties that an upload was created with", async ({ store }) => {
    const properties: ObjectProperties = {
      system: { contentType: "text/plain" },
      user: { "name": "é" },
      tags: { "k": "v" },
    };
    const id = await store.createUpload(bucket, key("k"), uploadInput({ properties }));
    const info = await store.putPart(bucket, key("k"), id, part(1), partInput("abc"));
    await store.completeUpload(bucket, key("k"), id, completion([info]));
    const read = await store.readObject(bucket, key("k"));
    deepStrictEqual([read.properties, read.owner], [properties, OWNER]);
    strictEqual(await text(store, "k"), "abc");
  });

  test("makes an empty object of an empty part", async ({ store }) => {
    const { id, parts } = await upload(store, "k", [""]);
    strictEqual((await store.completeUpload(bucket, key("k"), id, completion(parts))).size, 0);
    strictEqual(await text(store, "k"), "");
  });

  test("replaces a part of the same number", async ({ store }) => {
    const { id, parts } = await upload(store, "k", ["old part"]);
    const again = await store.putPart(bucket, key("k"), id, part(1), partInput("new"));
    const { items } = await store.listParts(bucket, key("k"), id, { after: 0, limit: 10 });
    deepStrictEqual(items, [again]);
    await rejectsWith("InvalidPart", store.completeUpload(bucket, key("k"), id, completion(parts)));
    await store.completeUpload(bucket, key("k"), id, completion([again]));
    strictEqual(await text(store, "k"), "new");
  });

  test("keeps nothing of a part that verify refuses", async ({ store }) => {
    const { id, parts } = await upload(store, "k", ["good"]);
    const verify = (): never => {
      throw new S3Error("BadDigest");
    };
    for (const number of [1, 2]) {
      const call = store.putPart(bucket, key("k"), id, part(number), partInput("bad", { verify }));
      await rejectsWith("BadDigest", call);
    }
    const short = store.putPart(bucket, key("k"), id, part(2), partInput("bad", { size: 4 }));
    await rejectsWith("IncompleteBody", short);
    const { items } = await store.listParts(bucket, key("k"), id, { after: 0, limit: 10 });
    deepStrictEqual(items, parts);
  });

  test("leaves out parts that Complete does not name", async ({ store }) => {
    const { id, parts } = await upload(store, "k", [pattern(MIN_PART_SIZE), "unused", "last"]);
    const chosen = parts.filter(({ number }) => number !== 2);
    const { size } = await store.completeUpload(bucket, key("k"), id, completion(chosen));
    strictEqual(size, MIN_PART_SIZE + 4);
  });

  test("refuses parts that are wrong or too small, and leaves the upload open", async ({ store }) => {
    const { id, parts } = await upload(store, "k", ["small", "last"]);
    const complete = (input: CompleteInput): Promise<ObjectInfo> =>
      store.completeUpload(bucket, key("k"), id, input);
    await rejectsWith("EntityTooSmall", complete(completion(parts)));
    const [first] = parts;
    ok(first !== undefined);
    const wrong = { ...first, etag: "0".repeat(32) };
    await rejectsWith("InvalidPart", complete(completion([wrong])));
    await rejectsWith("InvalidPart", complete(completion([{ ...first, number: part(3) }])));
    await rejectsWith("InvalidRequest", complete({ ...completion([first]), size: 6 }));
    await rejectsWith("NoSuchKey", store.readObject(bucket, key("k")));
    await complete({ ...completion([first]), size: 5 });
    strictEqual(await text(store, "k"), "small");
  });

  test("completes twice with one result", async ({ store }) => {
    const { id, parts } = await upload(store, "k", ["abc"]);
    const first = await store.completeUpload(bucket, key("k"), id, completion(parts));
    const second = await store.completeUpload(bucket, key("k"), id, completion(parts));
    deepStrictEqual([second.etag, second.size], [first.etag, first.size]);
    strictEqual(await text(store, "k"), "abc");
    await rejectsWith("NoSuchUpload", store.abortUpload(bucket, key("k"), id));
    const call = store.putPart(bucket, key("k"), id, part(1), partInput("late"));
    await rejectsWith("NoSuchUpload", call);
  });

  test("completes once of many that race", async ({ store }) => {
    const { id, parts } = await upload(store, "k", ["abc"]);
    const infos = await Promise.all(
      Array.from(
        { length: 5 },
        () => store.completeUpload(bucket, key("k"), id, completion(parts)),
      ),
    );
    strictEqual(new Set(infos.map(({ etag }) => etag)).size, 1);
    strictEqual(await text(store, "k"), "abc");
  });

  test("aborts an upload", async ({ store }) => {
    const { id, parts } = await upload(store, "k", ["abc"]);
    await store.abortUpload(bucket, key("k"), id);
    const calls = [
      store.abortUpload(bucket, key("k"), id),
      store.readUpload(bucket, key("k"), id),
      store.completeUpload(bucket, key("k"), id, completion(parts)),
      store.listParts(bucket, key("k"), id, { after: 0, limit: 1 }),
      store.putPart(bucket, key("k"), id, part(1), partInput("late")),
    ];
    await Promise.all(calls.map((call) => rejectsWith("NoSuchUpload", call)));
    await rejectsWith("NoSuchKey", store.readObject(bucket, key("k")));
  });

  test("either completes or aborts when both race", async ({ store }) => {
    for (let i = 0; i < 10; i++) {
      const name = `raced-${i}`;
      const { id, parts } = await upload(store, name, ["abc"]);
      const complete = () => store.completeUpload(bucket, key(name), id, completion(parts));
      const abort = () => store.abortUpload(bucket, key(name), id);
      const [first, second] = await Promise.allSettled(
        i % 2 === 0 ? [complete(), abort()] : [abort(), complete()],
      );
      const completed = i % 2 === 0 ? first : second;
      const aborted = i % 2 === 0 ? second : first;
      ok(completed?.status !== aborted?.status, "exactly one must win");
      if (completed?.status === "fulfilled") strictEqual(await text(store, name), "abc");
      else await rejectsWith("NoSuchKey", store.readObject(bucket, key(name)));
      for (const outcome of [completed, aborted]) {
        if (outcome?.status === "rejected") strictEqual(codeOf(outcome.reason), "NoSuchUpload");
      }
    }
  });

  test("knows an upload by its key and id together", async ({ store }) => {
    const { id } = await upload(store, "k", ["abc"]);
    await rejectsWith("NoSuchUpload", store.readUpload(bucket, key("other"), id));
    await rejectsWith("NoSuchUpload", store.abortUpload(bucket, key("other"), id));
    await rejectsWith("NoSuchUpload", store.readUpload(bucket, key("k"), "none" as UploadId));
    const { key: own, id: same, owner } = await store.readUpload(bucket, key("k"), id);
    deepStrictEqual([own, same, owner], [key("k"), id, OWNER]);
  });
}
