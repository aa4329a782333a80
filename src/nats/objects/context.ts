/**
 * State that the object room owns.
 * @module
 */

import { BoundedCache } from "../../collections/bounded_cache.ts";
import { SharedCalls } from "../../collections/shared_calls.ts";
import { DigestPool } from "../../crypto/digest_pool.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import { ByteBudget } from "../../streams/byte_budget.ts";
import { uniqueId } from "../../world/world.ts";
import type { BucketsContext } from "../buckets/context.ts";
import type { BucketStream } from "../buckets/streams.ts";
import type { ChunkMap } from "../layout/chunk_map.ts";
import { KeyLines } from "./key_lines.ts";
import { Leases } from "./leases.ts";
import type { KnownGroup } from "./pieces.ts";
import { Unfinished } from "./unfinished.ts";

/** State of the object room. */
export type ObjectsContext = BucketsContext & {
  /** Bytes that readers may request beyond the chunks that their clients wait for. */
  readonly ahead: ByteBudget;
  /** Bytes that may be published and not yet be acknowledged. */
  readonly unacknowledged: ByteBudget;
  readonly digests: DigestPool;
  /** Positions of chunks, as far as they are known. They never change. */
  readonly groups: BoundedCache<KnownGroup>;
  readonly chunkMaps: BoundedCache<ChunkMap>;
  /** Reads of chunk maps that are under way. */
  readonly chunkMapReads: SharedCalls<ChunkMap | undefined>;
  /** Milliseconds for which a replaced group is kept for its readers. */
  readonly grace: number;
  /** Bytes of a chunk, unless the server accepts less. */
  readonly chunkSize: number;
  readonly leases: Leases;
  /** Buckets with trash of this gateway. */
  readonly trashed: Set<BucketName>;
  /** Counts the keys of a bucket that have an object, and tells whether one of them has. */
  readonly countKeys: (
    bucket: BucketName,
    key: ObjectKey,
  ) => Promise<{ readonly count: number; readonly hasKey: boolean }>;
  /** Tells listings to look again at a key that was found missing although no message announced it. */
  readonly doubt: (bucket: BucketName, key: ObjectKey) => void;
  /** Writers of keys that get in each other's way. */
  readonly lines: KeyLines;
  /** What full buckets refused to record. */
  readonly unfinished: Unfinished;
  /** Returns those of some nuids that the object info of any key names. */
  readonly findNamed: (
    stream: BucketStream,
    nuids: ReadonlySet<string>,
  ) => Promise<ReadonlySet<string>>;
};

/** Options of the object room. */
export type ObjectsOptions = {
  /** Milliseconds for which a replaced group is kept for its readers; a minute by default. */
  readonly grace?: number;
  /** Most bytes of a chunk; 128 KiB by default. */
  readonly chunkSize?: number;
  /** Bytes that all readers together hold, or have requested, beyond what clients accept; 16 MiB by default. */
  readonly readAhead?: number | undefined;
};

const GRACE = 60_000;
/** Bytes of a chunk. A range reads whole chunks; a large body publishes many. */
const CHUNK_SIZE = 128 * 1024;
/** Bytes that all readers together hold, or have requested, beyond what their clients accept. */
const READ_AHEAD = 16 * 1024 * 1024;
/** Bytes that all writers together have published and not yet seen acknowledged. */
const WRITE_BUDGET = 16 * 1024 * 1024;
/** Number of chunks whose positions are kept, and bytes of chunk maps. */
const GROUPS_WEIGHT = 1_000_000;
const CHUNK_MAPS_WEIGHT = 16 * 1024 * 1024;

/** Adds the state of the object room to that of the bucket room. */
export function createObjectsContext(
  buckets: BucketsContext,
  { grace = GRACE, chunkSize = CHUNK_SIZE, readAhead = READ_AHEAD }: ObjectsOptions,
  { countKeys, doubt, findNamed }: Pick<ObjectsContext, "countKeys" | "doubt" | "findNamed">,
): ObjectsContext {
  return {
    ...buckets,
    ahead: new ByteBudget(readAhead),
    unacknowledged: new ByteBudget(WRITE_BUDGET),
    digests: new DigestPool(),
    groups: new BoundedCache(GROUPS_WEIGHT),
    chunkMaps: new BoundedCache(CHUNK_MAPS_WEIGHT),
    chunkMapReads: new SharedCalls(),
    grace,
    chunkSize,
    leases: new Leases(buckets.requests, uniqueId(), grace, buckets.log),
    trashed: new Set(),
    countKeys,
    doubt,
    lines: new KeyLines(),
    unfinished: new Unfinished(),
    findNamed,
  };
}
