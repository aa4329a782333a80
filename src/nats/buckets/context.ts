/**
 * What every part of the JetStream store is given.
 * @module
 */

import type { DigestPool } from "../../crypto/digests.ts";
import type { ByteBudget } from "../../streams/byte_budget.ts";
import type { KnownGroup } from "../objects/chunk_reader.ts";
import type { Requests } from "../jetstream/requests.ts";
import type { Leases } from "../objects/leases.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { Streams } from "./streams.ts";
import type { BoundedCache } from "../../collections/bounded_cache.ts";
import type { Layout } from "../layout/chunk_map.ts";

/** What the store tells whoever runs it. */
export interface StoreLog {
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Shared by the parts of a store on one connection. */
export type Context = {
  readonly requests: Requests;
  readonly streams: Streams;
  /** Bytes that may have been asked for and not have arrived. */
  readonly budget: ByteBudget;
  /** Bytes that readers may have asked for beyond the chunk that they wait for. */
  readonly ahead: ByteBudget;
  /** Bytes that may be published and not acknowledged. */
  readonly unacknowledged: ByteBudget;
  readonly digests: DigestPool;
  /** Chunks never change, so where they are may be remembered. */
  readonly groups: BoundedCache<KnownGroup>;
  readonly layouts: BoundedCache<Layout>;
  /** Owner of buckets that have no owner record. */
  readonly defaultOwner: string | undefined;
  /** Least size of a part but the last, in bytes. */
  readonly minPartSize: number;
  /** Milliseconds for which a replaced group is kept for those who read it. */
  readonly grace: number;
  readonly leases: Leases;
  /** Buckets into whose trash this gateway has put something. */
  readonly trashed: Set<BucketName>;
  /** Has listings look at a key again that was seen to be gone without a message that says so. */
  readonly doubt: (bucket: BucketName, key: ObjectKey) => void;
  readonly log: StoreLog;
  readonly now: () => Date;
};
