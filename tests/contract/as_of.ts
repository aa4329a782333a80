/**
 * The promises about how a key was at a time, and about copies that equal an old version.
 * @module
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { NULL_VERSION } from "../../src/s3/version_id.ts";
import type { ObjectInfo } from "../../src/store/objects.ts";
import type { Store } from "../../src/store/store.ts";
import { bucket, completion, content, key, MIN_PART_SIZE, OWNER, pattern } from "./inputs.ts";
import { put, rejectsWith, text, upload } from "./steps.ts";
import type { Test } from "./store_under_test.ts";
import { history, idOf, inVersionedBucket, pageOf, putVersion, remove } from "./version_steps.ts";

/** Lets the clock of the store go on, so that no two versions have the same time. */
async function tick(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 3));
}

/** Returns the times of the versions of a key by their ids. */
async function timesOf(store: Store, name: string): Promise<ReadonlyMap<string, number>> {
  const { versions } = await pageOf(store, { prefix: name });
  return new Map(versions.map(({ versionId, modified }) => [versionId, modified.getTime()]));
}

/** Returns what a key was: the id of its version, with `-` before that of a delete marker, or another kind. */
async function asOf(store: Store, name: string, time: number): Promise<string> {
  const found = await store.versionAsOf(bucket, key(name), new Date(time));
  if (found.kind === "version") return found.versionId;
  return found.kind === "marker" ? `-${found.versionId}` : found.kind;
}

/** Registers the tests of this file. */
export function asOfContract(test: Test): void {
  const versioned = inVersionedBucket(test);

  versioned("finds what a key was at any time", async ({ store }) => {
    const expected: string[] = [];
    for (let i = 0; i < 9; i++) {
      await tick();
      const isMarker = i % 4 === 3;
      const id = isMarker ? idOf(await remove(store, "k")) : await putVersion(store, "k", `${i}`);
      expected.push(isMarker ? `-${id}` : id);
    }
    const times = await timesOf(store, "k");
    for (const [i, name] of expected.entries()) {
      const time = times.get(name.replace("-", "")) ?? NaN;
      strictEqual(await asOf(store, "k", time), name);
      strictEqual(await asOf(store, "k", time - 1), expected[i - 1] ?? "absent");
      strictEqual(await asOf(store, "k", time + 1), name);
    }
    strictEqual(await asOf(store, "none", times.get(expected[0] ?? "") ?? NaN), "absent");
    const future = new Date("2099-01-01T00:00:00Z");
    await rejectsWith("InvalidArgument", store.versionAsOf(bucket, key("k"), future));
  });

  versioned("does not guess what a removed version was", async ({ store }) => {
    const ids = [];
    for (const body of ["a", "b", "c", "d"]) {
      await tick();
      ids.push(await putVersion(store, "k", body));
    }
    const [a = "", b, c = "", d = ""] = ids;
    const times = await timesOf(store, "k");
    const at = (id = ""): number => times.get(id) ?? NaN;
    await remove(store, "k", { versionId: b });
    strictEqual(await asOf(store, "k", at(d)), d);
    strictEqual(await asOf(store, "k", at(c)), c);
    strictEqual(await asOf(store, "k", at(b)), "unknown");
    strictEqual(await asOf(store, "k", at(a)), "unknown");
    strictEqual(await asOf(store, "k", at(a) - 1), "absent");
    await remove(store, "k", { versionId: ids[0] });
    strictEqual(await asOf(store, "k", at(a) - 1), "unknown");
    strictEqual(await asOf(store, "k", at(c)), c);
  });

  test("does not guess what was there before a younger version null", async ({ store }) => {
    await rejectsWith("InvalidBucketState", store.versionAsOf(bucket, key("k"), new Date(0)));
    await store.deleteBucket(bucket);
    const documents = new Map([["versioning", "Suspended"]] as const);
    await store.createBucket(bucket, OWNER, { documents });
    const { modified: first } = await put(store, "k", "first");
    await tick();
    strictEqual(await asOf(store, "k", first.getTime()), NULL_VERSION);
    strictEqual(await asOf(store, "k", first.getTime() - 1), "unknown");
    const { modified: second } = await put(store, "k", "second");
    strictEqual(await asOf(store, "k", second.getTime()), NULL_VERSION);
    strictEqual(await asOf(store, "k", first.getTime()), "unknown");
  });

  versioned("writes onto the version that a condition names", async ({ store }) => {
    const first = await putVersion(store, "k", "a");
    const second = await putVersion(store, "k", "b");
    const stale = { ifVersion: first };
    await rejectsWith("PreconditionFailed", put(store, "k", "x", { precondition: stale }));
    await rejectsWith("PreconditionFailed", remove(store, "k", { precondition: stale }));
    const removal = { precondition: stale, versionId: first };
    await rejectsWith("PreconditionFailed", remove(store, "k", removal));
    await rejectsWith("PreconditionFailed", put(store, "new", "x", { precondition: stale }));
    strictEqual((await history(store, "k")).length, 2);
    const marker = idOf(await remove(store, "k", { precondition: { ifVersion: second } }));
    await rejectsWith("PreconditionFailed", remove(store, "k", { precondition: stale }));
    await put(store, "k", "c", { precondition: { ifVersion: marker } });
    strictEqual(await text(store, "k"), "c");
    strictEqual((await history(store, "k")).length, 4);
  });

  versioned("keeps the ETag, the checksum and the parts of what it copies", async ({ store }) => {
    const pieces = [pattern(MIN_PART_SIZE), pattern(10)];
    const given = { algorithm: "SHA256", checksumType: "COMPOSITE" } as const;
    const { id, parts } = await upload(store, "k", pieces, given);
    const { algorithm } = given;
    await store.completeUpload(bucket, key("k"), id, completion(parts, algorithm));
    const options = { partChecksums: true };
    const before = await store.readObject(bucket, key("k"), options);
    const { body } = await store.getObject(bucket, key("k"), () => "all");
    const bytes = new Uint8Array(await new Response(body).arrayBuffer());
    const written = await store.putObject(bucket, key("k"), {
      content: content(bytes),
      properties: before.properties,
      owner: OWNER,
      precondition: {},
      keeps: before,
    });
    const after = await store.readObject(bucket, key("k"), options);
    const { versionId: _1, modified: _2, ...facts } = before;
    const { versionId, modified: _3, ...copied } = after;
    deepStrictEqual(copied, facts);
    strictEqual(written.versionId, versionId);
    const { versions } = await pageOf(store);
    const shown = ({ etag, size, checksum }:
      & Pick<ObjectInfo, "etag" | "size">
      & { readonly checksum: unknown }): unknown => ({ etag, size, checksum });
    const [one, other] = versions;
    if (one !== undefined && other !== undefined) deepStrictEqual(shown(one), shown(other));
  });
}
