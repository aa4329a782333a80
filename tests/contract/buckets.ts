/**
 * The promises about buckets.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { BucketName, UploadId } from "../../src/s3/names.ts";
import {
  bucket,
  completion,
  key,
  objectInput,
  OWNER,
  part,
  partInput,
  query,
  uploadInput,
} from "./inputs.ts";
import { list, put, rejectsWith, text } from "./steps.ts";
import type { Test } from "./store_under_test.ts";

/** Registers the tests of this file. */
export function bucketContract(test: Test): void {
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

  test("knows the account that a bucket was made for", async ({ store }) => {
    const [home, team] = ["000000000000", "111122223333"];
    const theirs = "contract-2" as BucketName;
    strictEqual((await store.readOwner(bucket))?.account, undefined);
    strictEqual((await store.readOwner(bucket))?.accessKeyId, OWNER);
    await store.createBucket(theirs, "bob", { account: team });
    deepStrictEqual(await store.readOwner(theirs), { accessKeyId: "bob", account: team });
    const known = store.knownOwner(theirs);
    ok(known === undefined || known.account === team);
    strictEqual((await store.readBucket(theirs)).account, team);
    strictEqual((await store.listBuckets()).find(({ name }) => name === theirs)?.account, team);
    // Another user of the account finds it as the account's own, and so does nobody else.
    await rejectsWith(
      "BucketAlreadyOwnedByYou",
      store.createBucket(theirs, "carl", { account: team }),
    );
    await rejectsWith("BucketAlreadyExists", store.createBucket(theirs, "bob", { account: home }));
    await rejectsWith("NoSuchBucket", store.readOwner("missing" as BucketName));
  });

  test("reads one bucket", async ({ store }) => {
    const { name, owner } = await store.readBucket(bucket);
    deepStrictEqual([name, owner], [bucket, OWNER]);
  });

  test("remembers the location of a bucket", async ({ store }) => {
    const [placed, other] = ["contract-eu" as BucketName, "contract-2" as BucketName];
    await store.createBucket(placed, OWNER, { location: "eu-1.fast_disks" });
    await store.createBucket(other, OWNER);
    strictEqual((await store.readBucket(placed)).location, "eu-1.fast_disks");
    strictEqual((await store.readBucket(other)).location, undefined);
    strictEqual(store.knownLocation(placed), "eu-1.fast_disks");
    strictEqual(store.knownLocation(other), undefined);
    strictEqual(store.knownLocation("contract-nowhere" as BucketName), undefined);
    const locations = (await store.listBuckets()).map(({ name, location }) => [name, location]);
    deepStrictEqual(locations.slice(1), [[other, undefined], [placed, "eu-1.fast_disks"]]);

    await rejectsWith(
      "BucketAlreadyOwnedByYou",
      store.createBucket(placed, OWNER, { location: "us" }),
    );
    strictEqual((await store.readBucket(placed)).location, "eu-1.fast_disks");
    await store.deleteBucket(placed);
    await store.createBucket(placed, OWNER);
    strictEqual((await store.readBucket(placed)).location, undefined);
  });

  test("tells whether a bucket exists", async ({ store }) => {
    const other = "contract-2" as BucketName;
    deepStrictEqual([await store.hasBucket(bucket), await store.hasBucket(other)], [true, false]);
    await store.createBucket(other, "bob");
    strictEqual(await store.hasBucket(other), true);
    await store.deleteBucket(other);
    strictEqual(await store.hasBucket(other), false);
    strictEqual(await store.hasBucket("No.Store_Has_This_Name" as BucketName), false);
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
    await store.deleteObject(bucket, key("k"), { precondition: {} });
    await store.deleteBucket(bucket);
    await rejectsWith("NoSuchBucket", store.readBucket(bucket));
    deepStrictEqual(await store.listBuckets(), []);
  });

  test("shows nothing of a deleted bucket in one of the same name", async ({ store }) => {
    await put(store, "k", "x");
    await store.deleteObject(bucket, key("k"), { precondition: {} });
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
      () => store.deleteObject(none, key("k"), { precondition: {} }),
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
