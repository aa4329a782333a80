/**
 * The smallest store that keeps the promises of `store.ts`: for tests, and as the readable reference.
 * @module
 */

import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { ObjectInfo } from "../objects.ts";
import type { Store } from "../store.ts";
import { createBuckets } from "./buckets.ts";
import { createListings } from "./listings.ts";
import { createDocuments } from "./documents.ts";
import { Memory, type MemoryOptions } from "./memory.ts";
import { createObjects } from "./objects.ts";
import { createUploads } from "./uploads.ts";

/** A store that keeps everything in memory. */
export type MemoryStore = Store & {
  /** Locks an object, as the Go gateway nats-s3 does, in any bucket. For tests. */
  readonly retain: (bucket: BucketName, key: ObjectKey, until: Date) => void;
  /** Puts an object under a legal hold, as some programs do. For tests. */
  readonly hold: (bucket: BucketName, key: ObjectKey) => void;
};

/** Creates an empty memory store. */
export function createMemoryStore(options?: MemoryOptions): MemoryStore {
  const memory = new Memory(options);
  const change = (bucket: BucketName, key: ObjectKey, lock: Partial<ObjectInfo>): void => {
    const version = memory.object(bucket, key);
    memory.replace(bucket, key, version.id, { ...version, info: { ...version.info, ...lock } });
  };
  return {
    ...createBuckets(memory),
    ...createDocuments(memory),
    ...createObjects(memory),
    ...createListings(memory),
    ...createUploads(memory),
    retain: (bucket, key, until) =>
      change(bucket, key, { retention: { mode: "GOVERNANCE", until } }),
    hold: (bucket, key) => change(bucket, key, { legalHold: true }),
  };
}
