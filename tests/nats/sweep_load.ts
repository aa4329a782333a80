/**
 * Buckets for sweeps: many small groups, some that nothing names, and writers that do not stop.
 * @module
 */

import type { Requests } from "../../src/nats/jetstream/requests.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { newNuid } from "../../src/nats/layout/nuid.ts";
import { formatInfo } from "../../src/nats/layout/format_info.ts";
import { chunkSubject } from "../../src/nats/layout/chunk_subjects.ts";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import { input, someBytes } from "./store_on_server.ts";

/** Publishes in flight while a bucket is filled. */
const FILLERS = 256;

/** Stores objects of one chunk and some bytes, named `filled/<number>`, as a gateway would. */
export async function fillBucket(
  requests: Requests,
  store: StoreName,
  { count, size }: { readonly count: number; readonly size: number },
): Promise<void> {
  const bytes = someBytes(size);
  let next = 0;
  await Promise.all(Array.from({ length: FILLERS }, async () => {
    while (next < count) {
      const key = `filled/${next++}` as ObjectKey;
      const nuid = newNuid(key);
      const sequence = await requests.publish(chunkSubject(store, nuid), bytes);
      const message = formatInfo({
        store,
        key,
        nuid,
        size,
        chunks: 1,
        chunkSize: 131_072,
        sha256: "0".repeat(64),
        etag: "0".repeat(32),
        modified: new Date(),
        properties: { system: {}, user: {}, tags: {} },
        checksum: undefined,
        owner: "alice",
        seek: sequence.toString(36),
        layout: undefined,
        partSizes: undefined,
      });
      await requests.publish(infoSubject(store, key), message, { expect: 0, rollup: true });
    }
  }));
}

/** Stores chunks that nothing names. Returns their subjects. */
export async function plantOrphans(
  requests: Requests,
  store: StoreName,
  count: number,
): Promise<readonly string[]> {
  const subjects = Array.from(
    { length: count },
    (_, i) => chunkSubject(store, newNuid(`orphan/${i}` as ObjectKey)),
  );
  for (const subject of subjects) await requests.publish(subject, "x");
  return subjects;
}

/**
 * Puts objects of 1 KiB at a rate until the signal aborts.
 *
 * @returns the keys
 */
export async function putAtRate(
  store: Store,
  bucket: BucketName,
  { rate, signal }: { readonly rate: number; readonly signal: AbortSignal },
): Promise<readonly ObjectKey[]> {
  const keys: ObjectKey[] = [];
  const bytes = someBytes(1024);
  const began = performance.now();
  let next = 0;
  await Promise.all(Array.from({ length: 32 }, async () => {
    while (!signal.aborted) {
      const i = next++;
      const wait = began + i * 1000 / rate - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const key = `put/${i}` as ObjectKey;
      await store.putObject(bucket, key, input(bytes));
      keys.push(key);
    }
  }));
  return keys;
}
