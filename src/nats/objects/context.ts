/**
 * State that the object room owns.
 * @module
 */

import type { BoundedCache } from "../../collections/bounded_cache.ts";
import type { DigestPool } from "../../crypto/digests.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { ByteBudget } from "../../streams/byte_budget.ts";
import type { BucketsContext } from "../buckets/context.ts";
import type { ChunkMap } from "../layout/chunk_map.ts";
import type { Leases } from "./leases.ts";
import type { KnownGroup } from "./pieces.ts";

/** State of the object room. */
export type ObjectsContext = BucketsContext & {
  /** Bytes that readers may request beyond the chunks that their clients wait for. */
  readonly ahead: ByteBudget;
  /** Bytes that may be published and not yet be acknowledged. */
  readonly unacknowledged: ByteBudget;
  readonly digests: DigestPool;
  /** Positions of chunks, which never change. */
  readonly groups: BoundedCache<KnownGroup>;
  readonly chunkMaps: BoundedCache<ChunkMap>;
  /** Milliseconds for which a replaced group is kept for its readers. */
  readonly grace: number;
  readonly leases: Leases;
  /** Buckets with trash of this gateway. */
  readonly trashed: Set<BucketName>;
  /** Tells listings to look again at a key that was found missing although no message announced it. */
  readonly doubt: (bucket: BucketName, key: ObjectKey) => void;
};
