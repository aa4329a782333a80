/**
 * What every store promises, as tests. `src/store/store.ts` has the promises in words.
 * @module
 */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import {
  type ChecksumAlgorithm,
  type ChecksumType,
  combineChecksums,
  createChecksumHasher,
} from "../../src/s3/checksum_algorithms.ts";
import type { WritePrecondition } from "../../src/s3/conditions.ts";
import { type ErrorCode, S3Error } from "../../src/s3/errors.ts";
import { multipartETag } from "../../src/s3/etag.ts";
import { compareUtf8 } from "../../src/s3/key_order.ts";
import type { ObjectProperties } from "../../src/s3/metadata.ts";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../../src/s3/names.ts";
import type { ContentInput, Received } from "../../src/store/content.ts";
import type { ListQuery } from "../../src/store/listings.ts";
import type {
  ChooseRange,
  ObjectContent,
  ObjectInfo,
  ObjectInput,
} from "../../src/store/objects.ts";
import type { Store } from "../../src/store/store.ts";
import type { CompletedPart, CompleteInput, PartInfo } from "../../src/store/uploads.ts";
import { WEIRD_KEYS } from "./weird_keys.ts";

/** A store under test, with what its interface has no operation for. */
export type StoreUnderTest = AsyncDisposable & {
  readonly store: Store;
  /** Locks an object until then, as the Go gateway nats-s3 does. */
  readonly retain: (bucket: BucketName, key: ObjectKey, until: Date) => Promise<void>;
};

/** Makes an empty store; `minPartSize` is in bytes. */
export type CreateStore = (
  settings: { readonly minPartSize: number },
) => Promise<StoreUnderTest>;

const KIB = 1024;
const MIN_PART_SIZE = 64 * KIB;
const OWNER = "alice";
const bucket = "contract" as BucketName;
const noSignal = new AbortController().signal;
const plain: ObjectProperties = {
  system: { contentType: "application/octet-stream" },
  user: {},
  tags: {},
};

/** Registers the whole suite under the name of a store. */
export function storeContract(name: string, createStore: CreateStore): void {
  function test(behaviour: string, run: (given: StoreUnderTest) => Promise<void>): void {
    Deno.test(`${name}: ${behaviour}`, async () => {
      await using given = await createStore({ minPartSize: MIN_PART_SIZE });
      await given.store.createBucket(bucket, OWNER);
      await run(given);
    });
  }

  bucketContract(test);
  objectContract(test);
  conditionContract(test);
  listingContract(test);
  multipartContract(test);
}

type Test = (behaviour: string, run: (given: StoreUnderTest) => Promise<void>) => void;

function bucketContract(test: Test): void {
  test("lists buckets by name, with their owners", async ({ store }) => {
    for (const other of ["zebra", "a.dotted.name", "contract-2"]) {
      await store.createBucket(other as BucketName, "bob");
    }
    const buckets = await store.listBuckets();
    deepStrictEqual(buckets.map(({ name }) => name as string), [
      "a.dotted.name",
      "contract",
      "contract-2",
      "zebra",
    ]);
    deepStrictEqual(buckets.map(({ owner }) => owner), ["bob", OWNER, "bob", "bob"]);
    ok(buckets.every(({ created }) => Math.abs(Date.now() - created.getTime()) < 60_000));
  });

  test("reads one bucket", async ({ store }) => {
    const { name, owner } = await store.readBucket(bucket);
    deepStrictEqual([name, owner], [bucket, OWNER]);
  });

  test("refuses to create a bucket twice", async ({ store }) => {
    await rejectsWith("BucketAlreadyOwnedByYou", store.createBucket(bucket, OWNER));
    await rejectsWith("BucketAlreadyExists", store.createBucket(bucket, "bob"));
    strictEqual((await store.readBucket(bucket)).owner, OWNER);
  });

  test("creates a bucket once of many that race", async ({ store }) => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => store.createBucket("raced" as BucketName, `user-${i}`)),
    );
    strictEqual(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    const winner = outcomes.findIndex(({ status }) => status === "fulfilled");
    strictEqual((await store.readBucket("raced" as BucketName)).owner, `user-${winner}`);
  });

  test("refuses a bucket name that S3 does not allow", async ({ store }) => {
    await rejectsWith("InvalidBucketName", store.createBucket("Not_Valid" as BucketName, OWNER));
  });

  test("deletes only an empty bucket", async ({ store }) => {
    await put(store, "k", "x");
    await rejectsWith("BucketNotEmpty", store.deleteBucket(bucket));
    strictEqual(await text(store, "k"), "x");
    await store.deleteObject(bucket, key("k"), {});
    await store.deleteBucket(bucket);
    await rejectsWith("NoSuchBucket", store.readBucket(bucket));
    deepStrictEqual(await store.listBuckets(), []);
  });

  test("shows nothing of a deleted bucket in one of the same name", async ({ store }) => {
    await put(store, "k", "x");
    await store.deleteObject(bucket, key("k"), {});
    await store.deleteBucket(bucket);
    await store.createBucket(bucket, "bob");
    deepStrictEqual((await list(store)).keys, []);
    await put(store, "k", "y");
    strictEqual(await text(store, "k"), "y");
  });

  test("throws NoSuchBucket from every method", async ({ store }) => {
    const none = "missing" as BucketName;
    const id = "0123456789" as UploadId;
    const calls: (() => Promise<unknown>)[] = [
      () => store.readBucket(none),
      () => store.deleteBucket(none),
      () => store.readObject(none, key("k")),
      () => store.getObject(none, key("k"), () => "all"),
      () => store.putObject(none, key("k"), objectInput("x")),
      () => store.deleteObject(none, key("k"), {}),
      () => store.listObjects(none, query()),
      () => store.createUpload(none, key("k"), uploadInput()),
      () => store.putPart(none, key("k"), id, part(1), partInput("x")),
      () => store.readUpload(none, key("k"), id),
      () => store.listParts(none, key("k"), id, { after: 0, limit: 10 }),
      () => store.listUploads(none, { ...query(), keyMarker: "", uploadIdMarker: "" }),
      () => store.completeUpload(none, key("k"), id, completion([])),
      () => store.abortUpload(none, key("k"), id),
    ];
    for (const call of calls) await rejectsWith("NoSuchBucket", call(), String(call));
  });
}

function objectContract(test: Test): void {
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
    await store.deleteObject(bucket, key("k"), {});
    await sameBytes(again, Buffer.from("new"));
  });

  test("throws NoSuchKey for what is not there", async ({ store }) => {
    await rejectsWith("NoSuchKey", store.readObject(bucket, key("k")));
    await rejectsWith("NoSuchKey", store.getObject(bucket, key("k"), () => "all"));
    await put(store, "k", "x");
    await store.deleteObject(bucket, key("k"), {});
    await rejectsWith("NoSuchKey", store.readObject(bucket, key("k")));
    await rejectsWith("NoSuchKey", store.getObject(bucket, key("k"), () => "all"));
  });

  test("deletes what is not there without complaint", async ({ store }) => {
    await store.deleteObject(bucket, key("k"), {});
    await put(store, "k", "x");
    await store.deleteObject(bucket, key("k"), {});
    await store.deleteObject(bucket, key("k"), {});
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
    for (const weird of WEIRD_KEYS) await store.deleteObject(bucket, key(weird), {});
    deepStrictEqual((await list(store)).keys, []);
  });

  test("computes and keeps the checksum that was asked for", async ({ store }) => {
    const bytes = pattern(200 * KIB);
    for (const algorithm of ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const) {
      const value = await checksumOf(algorithm, bytes);
      let received: Received | undefined;
      const verify = (given: Received): void => void (received = given);
      await put(store, algorithm, bytes, { algorithm, verify });
      deepStrictEqual(received, {
        size: bytes.length,
        md5: md5Of(bytes),
        sha256: createHash("sha256").update(bytes).digest("hex"),
        checksum: value,
      });
      const expected = { algorithm, value, type: "FULL_OBJECT" };
      deepStrictEqual((await store.readObject(bucket, key(algorithm))).checksum, expected);
    }
    const { objects } = await list(store);
    deepStrictEqual(
      objects.map(({ checksum }) => checksum?.algorithm),
      objects.map(({ key }) => key),
    );
  });

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
    await rejectsWith("AccessDenied", store.deleteObject(bucket, key("k"), {}));
    await rejectsWith("AccessDenied", put(store, "k", "changed"));
    const { id, parts } = await upload(store, "k", [pattern(10)]);
    await rejectsWith(
      "AccessDenied",
      store.completeUpload(bucket, key("k"), id, completion(parts)),
    );
    strictEqual(await text(store, "k"), "kept");

    await put(store, "past", "x");
    await retain(bucket, key("past"), new Date(Date.now() - 1000));
    await store.deleteObject(bucket, key("past"), {});
  });
}

function conditionContract(test: Test): void {
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
    await store.deleteObject(bucket, key("k"), {});
    await write("k", { ifNoneMatch: "*" });
  });

  test("checks the conditions of deletes", async ({ store }) => {
    const { etag } = await put(store, "k", "x");
    const call = store.deleteObject(bucket, key("k"), { ifMatch: "0".repeat(32) });
    await rejectsWith("PreconditionFailed", call);
    strictEqual(await text(store, "k"), "x");
    await store.deleteObject(bucket, key("k"), { ifMatch: etag });
    await rejectsWith("NoSuchKey", store.readObject(bucket, key("k")));
    for (const ifMatch of [etag, "*"]) {
      await rejectsWith("NoSuchKey", store.deleteObject(bucket, key("k"), { ifMatch }));
    }
    await put(store, "k", "x");
    await store.deleteObject(bucket, key("k"), { ifMatch: "*" });
    deepStrictEqual((await list(store)).keys, []);
  });
}

function listingContract(test: Test): void {
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
        await store.deleteObject(bucket, key(name), {});
        expected.delete(name);
      } else {
        await put(store, name, `${i}`);
        expected.add(name);
      }
      deepStrictEqual((await list(store)).keys, [...expected].sort());
    }
  });
}

function multipartContract(test: Test): void {
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

  test("combines the checksums of parts", async ({ store }) => {
    const pieces = [pattern(MIN_PART_SIZE), pattern(100, 1)];
    const rows: [ChecksumAlgorithm, ChecksumType][] = [
      ["CRC32", "FULL_OBJECT"],
      ["CRC32C", "FULL_OBJECT"],
      ["CRC64NVME", "FULL_OBJECT"],
      ["CRC32", "COMPOSITE"],
      ["SHA1", "COMPOSITE"],
      ["SHA256", "COMPOSITE"],
    ];
    for (const [algorithm, checksumType] of rows) {
      const name = `${algorithm}-${checksumType}`;
      const { id, parts } = await upload(store, name, pieces, { algorithm, checksumType });
      const values = await Promise.all(pieces.map((piece) => checksumOf(algorithm, piece)));
      deepStrictEqual(parts.map(({ checksum }) => checksum), values);
      const { upload: { algorithm: kept, checksumType: type } } = await store
        .listParts(bucket, key(name), id, { after: 0, limit: 10 });
      deepStrictEqual([kept, type], [algorithm, checksumType]);

      const input = completion(parts, algorithm);
      const wrong = { algorithm, value: await checksumOf(algorithm, Buffer.from("other")) };
      const call = store.completeUpload(bucket, key(name), id, { ...input, checksum: wrong });
      await rejectsWith("BadDigest", call);
      const expected = await combineChecksums(
        algorithm,
        checksumType,
        pieces.map(({ length }, i) => ({ checksum: values[i] ?? "", size: length })),
      );
      const done = await store.completeUpload(bucket, key(name), id, {
        ...input,
        checksum: expected,
      });
      deepStrictEqual(done.checksum, expected);
      if (checksumType === "FULL_OBJECT") {
        strictEqual(expected.value, await checksumOf(algorithm, Buffer.concat(pieces)));
      }
      deepStrictEqual((await store.readObject(bucket, key(name))).checksum, expected);
    }
  });

  test("shows the checksums of parts to who asks for them", async ({ store }) => {
    const first = pattern(MIN_PART_SIZE);
    const rows: [ChecksumAlgorithm, ChecksumType, readonly (Uint8Array | string)[]][] = [
      ["CRC32C", "FULL_OBJECT", [first, "abc"]],
      ["SHA256", "COMPOSITE", [first, first, ""]],
      ["CRC32", "COMPOSITE", ["only"]],
      ["SHA1", "COMPOSITE", [""]],
    ];
    for (const [algorithm, checksumType, pieces] of rows) {
      const given = { algorithm, checksumType };
      const id = await store.createUpload(bucket, key("k"), uploadInput(given));
      const parts: PartInfo[] = [];
      for (const [i, piece] of pieces.entries()) {
        const number = part(3 * i + 2); // numbers with gaps
        const input = partInput(piece, { algorithm });
        parts.push(await store.putPart(bucket, key("k"), id, number, input));
      }
      const done = await store
        .completeUpload(bucket, key("k"), id, completion(parts, algorithm));
      deepStrictEqual(await store.readObject(bucket, key("k")), done);
      strictEqual(done.partChecksums, undefined);

      const partChecksums = await Promise.all(
        pieces.map((piece) => checksumOf(algorithm, Buffer.from(piece))),
      );
      const asked = { partChecksums: true };
      const expected = { ...done, partChecksums };
      deepStrictEqual(await store.readObject(bucket, key("k"), asked), expected);
      let chosen: ObjectInfo | undefined;
      const choose: ChooseRange = (info) => {
        chosen = info;
        return "nothing";
      };
      deepStrictEqual((await store.getObject(bucket, key("k"), choose, asked)).info, expected);
      deepStrictEqual(chosen, expected);
      deepStrictEqual((await store.getObject(bucket, key("k"), choose)).info, done);
    }
  });

  test("shows no checksums of parts where the object has none, or no parts", async ({ store }) => {
    const asked = { partChecksums: true };
    const id = await store.createUpload(bucket, key("k"), uploadInput());
    const input = partInput("abc", { algorithm: "CRC32" });
    const info = await store.putPart(bucket, key("k"), id, part(1), input);
    const done = await store.completeUpload(bucket, key("k"), id, completion([info]));
    deepStrictEqual(await store.readObject(bucket, key("k"), asked), done);

    const whole = await put(store, "k", "abc", { algorithm: "CRC32" });
    deepStrictEqual(await store.readObject(bucket, key("k"), asked), whole);
  });

  test("refuses a part without the checksum that its upload demands", async ({ store }) => {
    const given = { algorithm: "SHA256", checksumType: "COMPOSITE" } as const;
    const id = await store.createUpload(bucket, key("k"), uploadInput(given));
    for (const algorithm of [undefined, "CRC32"] as const) {
      const input = partInput("x", { algorithm });
      await rejectsWith("InvalidRequest", store.putPart(bucket, key("k"), id, part(1), input));
    }
    const right = partInput("x", { algorithm: "SHA256" });
    const info = await store.putPart(bucket, key("k"), id, part(1), right);
    const wrong = completion([{ ...info, checksum: "AAAA" }], "SHA256");
    await rejectsWith("InvalidPart", store.completeUpload(bucket, key("k"), id, wrong));
    const without = completion([info]);
    await rejectsWith("InvalidRequest", store.completeUpload(bucket, key("k"), id, without));
    await store.completeUpload(bucket, key("k"), id, completion([info], "SHA256"));
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

function key(text: string): ObjectKey {
  return text as ObjectKey;
}

function part(number: number): PartNumber {
  return number as PartNumber;
}

function query(given: Partial<ListQuery> = {}): ListQuery {
  return { prefix: "", delimiter: "", after: "", limit: 1000, ...given };
}

type ContentOptions = {
  readonly size?: number | undefined;
  /** Size of the pieces in which the body comes. */
  readonly piece?: number;
  readonly algorithm?: ChecksumAlgorithm | undefined;
  readonly verify?: (received: Received) => void;
};

function content(data: Uint8Array | string, options: ContentOptions = {}): ContentInput {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  const { piece = 64 * KIB, algorithm, verify = (): void => {} } = options;
  return {
    stream: streamOf(bytes, piece),
    size: "size" in options ? options.size : bytes.length,
    algorithm,
    verify,
  };
}

function streamOf(bytes: Uint8Array, piece: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller): void {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at += piece));
      else controller.close();
    },
  });
}

type PutOptions = ContentOptions & {
  readonly properties?: ObjectProperties;
  readonly precondition?: WritePrecondition;
};

function objectInput(data: Uint8Array | string, options: PutOptions = {}): ObjectInput {
  const { properties = plain, precondition = {} } = options;
  return {
    content: content(data, options),
    properties,
    owner: OWNER,
    precondition,
    signal: noSignal,
  };
}

async function put(
  store: Store,
  name: string,
  data: Uint8Array | string,
  options: PutOptions = {},
): Promise<ObjectInfo> {
  return await store.putObject(bucket, key(name), objectInput(data, options));
}

function partInput(
  data: Uint8Array | string,
  options: ContentOptions = {},
): { content: ContentInput; signal: AbortSignal } {
  return { content: content(data, options), signal: noSignal };
}

function uploadInput(
  given: {
    readonly properties?: ObjectProperties;
    readonly algorithm?: ChecksumAlgorithm;
    readonly checksumType?: ChecksumType;
  } = {},
): Parameters<Store["createUpload"]>[2] {
  const { properties = plain, algorithm, checksumType } = given;
  return { properties, owner: OWNER, algorithm, checksumType };
}

/** Creates an upload and puts these parts, numbered from 1. */
async function upload(
  store: Store,
  name: string,
  pieces: readonly (Uint8Array | string)[],
  given: { readonly algorithm?: ChecksumAlgorithm; readonly checksumType?: ChecksumType } = {},
): Promise<{ id: UploadId; parts: PartInfo[] }> {
  const id = await store.createUpload(bucket, key(name), uploadInput(given));
  const parts: PartInfo[] = [];
  for (const [i, piece] of pieces.entries()) {
    const input = partInput(piece, { algorithm: given.algorithm });
    parts.push(await store.putPart(bucket, key(name), id, part(i + 1), input));
  }
  return { id, parts };
}

function completion(parts: readonly PartInfo[], algorithm?: ChecksumAlgorithm): CompleteInput {
  return {
    parts: parts.map(({ number, etag, checksum }): CompletedPart => ({
      number,
      etag,
      checksum: algorithm === undefined || checksum === undefined
        ? undefined
        : { algorithm, value: checksum },
    })),
    precondition: {},
    checksum: undefined,
    size: undefined,
  };
}

async function list(
  store: Store,
  given: Partial<ListQuery> = {},
): Promise<Awaited<ReturnType<Store["listObjects"]>> & { readonly keys: readonly string[] }> {
  const page = await store.listObjects(bucket, query(given));
  return { ...page, keys: page.objects.map(({ key }) => key) };
}

async function text(store: Store, name: string): Promise<string> {
  const { body } = await store.getObject(bucket, key(name), () => "all");
  return await new Response(body).text();
}

/** Compares without printing megabytes. */
async function sameBytes({ body }: ObjectContent, expected: Uint8Array): Promise<void> {
  const bytes = new Uint8Array(await new Response(body).arrayBuffer());
  strictEqual(bytes.length, expected.length);
  ok(Buffer.compare(bytes, expected) === 0, "bytes differ");
}

/** Bytes without a period that chunks could hide behind. */
function pattern(size: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = seed + 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

function md5Of(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

async function checksumOf(algorithm: ChecksumAlgorithm, bytes: Uint8Array): Promise<string> {
  const hasher = await createChecksumHasher(algorithm);
  hasher.update(bytes);
  return hasher.digest();
}

function codeOf(cause: unknown): ErrorCode | undefined {
  return cause instanceof S3Error ? cause.code : undefined;
}

async function rejectsWith(
  code: ErrorCode,
  promise: Promise<unknown>,
  message?: string,
): Promise<void> {
  await rejects(promise, (cause) => {
    if (!(cause instanceof S3Error)) throw cause;
    strictEqual(cause.code, code, message);
    return true;
  });
}
