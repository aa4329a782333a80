/**
 * The smallest store that keeps the promises of `store.ts`: for tests, and as the readable reference.
 * @module
 */

import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { Store } from "../store.ts";
import { createBuckets } from "./buckets.ts";
import { createListings } from "./listings.ts";
import { createDocuments } from "./documents.ts";
import { Memory, type MemoryOptions } from "./memory.ts";
import { createObjects } from "./objects.ts";
import { createUploads } from "./uploads.ts";

/** A store that keeps everything in memory. */
export type MemoryStore = Store & {
  /** Locks an object, as the Go gateway nats-s3 does. For tests: no operation locks objects yet. */
  readonly retain: (bucket: BucketName, key: ObjectKey, until: Date) => void;
};

/** Creates an empty memory store. */
export function createMemoryStore(options?: MemoryOptions): MemoryStore {
  const memory = new Memory(options);
  return {
    ...createBuckets(memory),
    ...createDocuments(memory),
    ...createObjects(memory),
    ...createListings(memory),
    ...createUploads(memory),
    retain(bucket, key, until) {
      const { info, ...more } = memory.object(bucket, key);
      const retention = { mode: "GOVERNANCE", until };
      memory.bucket(bucket).objects.set(key, { info: { ...info, retention }, ...more });
    },
  };
}
