/**
 * The promises about bucket documents.
 * @module
 */

import { strictEqual } from "node:assert/strict";
import { bucket } from "./inputs.ts";
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

  test("forgets the documents of a deleted bucket", async ({ store }) => {
    await store.putDocument(bucket, "cors", "text");
    await store.deleteBucket(bucket);
    await rejectsWith("NoSuchBucket", store.readDocument(bucket, "cors"));
    await rejectsWith("NoSuchBucket", store.putDocument(bucket, "cors", "text"));
    await store.createBucket(bucket, "alice");
    strictEqual(await store.readDocument(bucket, "cors"), undefined);
  });
}
