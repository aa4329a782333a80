/**
 * Calls and assertions about versions that several tests of the contract share.
 * @module
 */

import { ok, rejects, strictEqual } from "node:assert/strict";
import { type ErrorCode, S3Error } from "../../src/s3/errors.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { ordinalOf, type VersionId } from "../../src/s3/version_id.ts";
import type { VersionPage, VersionQuery } from "../../src/store/listings.ts";
import type { Deleted, DeleteInput } from "../../src/store/objects.ts";
import type { Store } from "../../src/store/store.ts";
import { bucket, key, OWNER, type PutOptions } from "./inputs.ts";
import { put } from "./steps.ts";
import type { StoreUnderTest, Test } from "./store_under_test.ts";

/** A version id that no version has. */
export const UNKNOWN = "0000000009AbcdefghijABCDEFGHIJ99" as VersionId;

/** Sets the state of versioning, as PutBucketVersioning does. */
export async function setVersioning(store: Store, state: "Enabled" | "Suspended"): Promise<void> {
  await store.prepareVersioning(bucket);
  await store.putDocument(bucket, "versioning", state);
}

/** Registers tests that are given a bucket with versioning. */
export function inVersionedBucket(test: Test): Test {
  return (behaviour, run, settings) => {
    const versioned = async (given: StoreUnderTest): Promise<void> => {
      // A bucket that gets versioning later waits for other gateways.
      await given.store.deleteBucket(bucket);
      const documents = new Map([["versioning", "Enabled"]] as const);
      await given.store.createBucket(bucket, OWNER, { documents });
      await run(given);
    };
    test(behaviour, versioned, settings);
  };
}

/** Puts an object and returns the id of its version. */
export async function putVersion(
  store: Store,
  name: string,
  data: Uint8Array | string,
  options: PutOptions = {},
): Promise<VersionId> {
  return idOf(await put(store, name, data, options));
}

/** Returns the version id that a result must have. */
export function idOf(
  { versionId }: { readonly versionId?: VersionId | undefined },
): VersionId {
  ok(versionId !== undefined, "the result has no version id");
  return versionId;
}

/** Deletes an object, or removes a version. */
export async function remove(
  store: Store,
  name: string,
  given: Partial<DeleteInput> = {},
): Promise<Deleted> {
  return await store.deleteObject(bucket, key(name), { precondition: {}, owner: OWNER, ...given });
}

/** Returns the bytes of a version as text. */
export async function textOf(store: Store, name: string, versionId: VersionId): Promise<string> {
  const { body } = await store.getObject(bucket, key(name), () => "all", { versionId });
  return await new Response(body).text();
}

/** Lists versions: of the whole bucket by default. */
export async function pageOf(
  store: Store,
  given: Partial<VersionQuery> = {},
  name: BucketName = bucket,
): Promise<VersionPage> {
  return await store.listVersions(name, {
    prefix: "",
    delimiter: "",
    afterKey: "",
    afterVersion: undefined,
    limit: 1000,
    ...given,
  });
}

/** Returns the ids of the versions of a key, the latest first; a delete marker has `-` before its id. */
export async function history(store: Store, name: string): Promise<string[]> {
  const { versions } = await pageOf(store, { prefix: name });
  const own = versions.filter(({ key }) => key === name);
  for (const [i, { isLatest, versionId }] of own.entries()) {
    strictEqual(isLatest, i === 0);
    const next = own[i + 1]?.versionId;
    const [ordinal, older] = [ordinalOf(versionId), next && ordinalOf(next)];
    if (ordinal !== undefined && older !== undefined) ok(ordinal > older, "ordinals decrease");
  }
  return own.map(({ versionId, isMarker }) => `${isMarker ? "-" : ""}${versionId}`);
}

/** Asserts that a promise rejects with this code and the headers of a delete marker. */
export async function rejectsWithMarker(
  code: ErrorCode,
  id: VersionId,
  promise: Promise<unknown>,
): Promise<void> {
  await rejects(promise, (cause) => {
    if (!(cause instanceof S3Error)) throw cause;
    strictEqual(cause.code, code);
    strictEqual(cause.headers["x-amz-delete-marker"], "true");
    strictEqual(cause.headers["x-amz-version-id"], id);
    return true;
  });
}

/** Asserts that there is no object and no delete marker. */
export async function isGone(store: Store, name: string): Promise<void> {
  await rejects(store.readObject(bucket, key(name)), (cause) => {
    if (!(cause instanceof S3Error)) throw cause;
    strictEqual(cause.code, "NoSuchKey");
    strictEqual(cause.headers["x-amz-delete-marker"], undefined);
    return true;
  });
  strictEqual((await history(store, name)).length, 0);
}
