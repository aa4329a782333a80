/**
 * The promises about bucket documents.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { S3Error } from "../../src/s3/errors.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { bucket, OWNER } from "./inputs.ts";
import { rejectsWith } from "./steps.ts";
import type { Test } from "./store_under_test.ts";

/** Registers the tests of this file. */
export function documentContract(test: Test): void {
  test("keeps a document as it was put until it is put again or deleted", async ({ store }) => {
    strictEqual(await store.readDocument(bucket, "cors"), undefined);
    await store.deleteDocument(bucket, "cors");
    for (const text of ["<a>größe \r\n</a>", "second", "x".repeat(100_000)]) {
      await store.putDocument(bucket, "cors", text);
      strictEqual(await store.readDocument(bucket, "cors"), text);
    }
    await store.deleteDocument(bucket, "cors");
    strictEqual(await store.readDocument(bucket, "cors"), undefined);
  });

  test("knows a document without asking only as it is", async ({ store }) => {
    const known = (): string | null | undefined => store.knownDocument(bucket, "policy");
    const isNow = (text: string | null): void => ok(known() === undefined || known() === text);
    strictEqual(store.knownDocument("never-read" as BucketName, "policy"), undefined);
    isNow(null);
    strictEqual(await store.readDocument(bucket, "policy"), undefined);
    isNow(null);
    await store.preparePolicy(bucket, true);
    await store.putDocument(bucket, "policy", "first");
    isNow("first");
    strictEqual(await store.readDocument(bucket, "policy"), "first");
    isNow("first");
    await store.putDocument(bucket, "policy", "second");
    isNow("second");
    await store.deleteDocument(bucket, "policy");
    isNow(null);
  });

  test("loses none of the changes of a document that are made at once", async ({ store }) => {
    const add = (item: string): Promise<void> =>
      store.changeDocument(bucket, "tagging", (text = "") => `${text}${item}`);
    const items = Array.from({ length: 10 }, (_, i) => String(i));
    await Promise.all(items.map(add));
    const text = await store.readDocument(bucket, "tagging") ?? "";
    deepStrictEqual([...text].sort(), items);

    await store.changeDocument(bucket, "tagging", (text) => text);
    strictEqual(await store.readDocument(bucket, "tagging"), text);
    await rejectsWith(
      "InvalidTag",
      store.changeDocument(bucket, "tagging", () => {
        throw new S3Error("InvalidTag");
      }),
    );
    strictEqual(await store.readDocument(bucket, "tagging"), text);
    await store.changeDocument(bucket, "tagging", () => undefined);
    strictEqual(await store.readDocument(bucket, "tagging"), undefined);
    await add("again");
    strictEqual(await store.readDocument(bucket, "tagging"), "again");
  });

  test("creates a bucket with its documents, unless there is one", async ({ store }) => {
    const other = "contract-2" as BucketName;
    const documents = new Map([["tagging", "tags"], ["cors", "rules"]] as const);
    await store.createBucket(other, OWNER, { documents });
    strictEqual((await store.readBucket(other)).owner, OWNER);
    for (const [kind, text] of documents) {
      strictEqual(await store.readDocument(other, kind), text);
    }
    strictEqual(await store.readDocument(other, "logging"), undefined);
    const later = { documents: new Map([["tagging", "later"], ["logging", "later"]] as const) };
    await rejectsWith("BucketAlreadyOwnedByYou", store.createBucket(other, OWNER, later));
    await rejectsWith("BucketAlreadyExists", store.createBucket(other, "bob", later));
    strictEqual(await store.readDocument(other, "tagging"), "tags");
    strictEqual(await store.readDocument(other, "logging"), undefined);
    await store.putDocument(other, "tagging", "changed");
    strictEqual(await store.readDocument(other, "tagging"), "changed");
  });

  test("gives all documents of one caller to a bucket that several create at once", async ({ store }) => {
    const other = "contract-2" as BucketName;
    const results = await Promise.allSettled(["a", "b", "c", "d"].map((name) => {
      const documents = new Map([["tagging", name], ["cors", name]] as const);
      return store.createBucket(other, name, { documents });
    }));
    strictEqual(results.filter(({ status }) => status === "fulfilled").length, 1);
    const { owner } = await store.readBucket(other);
    for (const kind of ["tagging", "cors"] as const) {
      strictEqual(await store.readDocument(other, kind), owner);
    }
  });

  test("forgets the documents of a deleted bucket", async ({ store }) => {
    await store.putDocument(bucket, "cors", "text");
    await store.deleteBucket(bucket);
    await rejectsWith("NoSuchBucket", store.readDocument(bucket, "cors"));
    await rejectsWith("NoSuchBucket", store.putDocument(bucket, "cors", "text"));
    await rejectsWith("NoSuchBucket", store.changeDocument(bucket, "cors", () => "text"));
    await store.createBucket(bucket, "alice");
    strictEqual(await store.readDocument(bucket, "cors"), undefined);
  });
}
