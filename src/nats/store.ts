/**
 * The store on NATS JetStream: a bucket is a stream, an object is chunks and one metadata message.
 * @module
 */

import { type NatsConnection, nuid } from "@nats-io/nats-core";
import { BoundedCache } from "../collections/bounded_cache.ts";
import { DigestPool } from "../crypto/digests.ts";
import { listPage } from "../s3/listing.ts";
import { MIN_PART_SIZE } from "../s3/multipart.ts";
import type { BucketName, ObjectKey } from "../s3/names.ts";
import type { Maintenance, Store } from "../store/store.ts";
import type { StoreStats } from "../telemetry/metrics/store.ts";
import { ByteBudget } from "../streams/byte_budget.ts";
import { createBucket, deleteBucket, listBuckets, readBucket } from "./buckets/buckets.ts";
import type { Context, StoreLog } from "./buckets/context.ts";
import { toS3Error } from "./jetstream/errors.ts";
import { KeyIndexes } from "./listing/key_indexes.ts";
import {
  abortUpload,
  completeUpload,
  createUpload,
  listParts,
  listUploads,
  putPart,
  readUpload,
} from "./uploads/uploads.ts";
import { deleteObject, getObject, putObject, readObject } from "./objects/objects.ts";
import { Leases } from "./objects/leases.ts";
import { NativeLayouts } from "./uploads/flatten.ts";
import type { NativeLayout } from "./uploads/native_layout.ts";
import { type CallObserver, Requests } from "./jetstream/requests.ts";
import { sweepBucket } from "./cleanup/sweep.ts";
import { lockTask } from "./buckets/lock.ts";
import { emptyTrash } from "./objects/trash.ts";
import { Streams, type StreamSettings } from "./buckets/streams.ts";

/** How a store on JetStream works. */
export type NatsStoreOptions = StreamSettings & {
  /** `$JS.API`, or `$JS.<domain>.API`. */
  readonly apiPrefix: string;
  readonly inboxPrefix: string;
  /** Access key id that owns buckets without an owner record: those of native clients. */
  readonly defaultOwner: string | undefined;
  readonly log: StoreLog;
  /** Least size of a part but the last, in bytes; S3's 5 MiB by default. */
  readonly minPartSize?: number;
  /** Milliseconds for which replaced bytes are kept for those who read them; a minute by default. */
  readonly grace?: number;
  /** When objects that were uploaded in parts are rewritten for native clients; never by default. */
  readonly nativeLayout?: NativeLayout;
  /** Milliseconds after which JetStream counts as not answering; 4 seconds by default. */
  readonly timeout?: number;
  /** Bytes that listings may take of memory; 1 GiB by default. */
  readonly indexMemory?: number;
  /** Milliseconds after which what a bucket's listings need is dropped; ten minutes by default. */
  readonly indexIdle?: number;
  /** Listings of a bucket of so many keys save what they need in it; 50,000 by default. */
  readonly indexSavedFrom?: number;
  readonly observe?: StoreObserver | undefined;
  readonly now?: () => Date;
};

/** What is told of a store's work; it returns at once and does not throw. */
export type StoreObserver = {
  readonly call?: CallObserver;
  /** Milliseconds that a listing waited, also in vain, until its index had what was acknowledged before. */
  readonly indexed?: (milliseconds: number) => void;
};

/** Milliseconds for which replaced bytes are kept for those who read them. */
const DEFAULT_GRACE = 60_000;
/** Milliseconds after which JetStream counts as not answering. */
const DEFAULT_TIMEOUT = 4000;
/** Bytes that indexes may take, and milliseconds after which one is dropped that nobody used. */
const INDEX_MEMORY = 1024 ** 3;
const INDEX_IDLE = 600_000;
/** Keys of a bucket that take a second to read. */
const INDEX_SAVED_FROM = 50_000;
/** Bytes asked for and not arrived, on one connection: well below the 64 MiB at which the server cuts it. */
const READ_BUDGET = 24 * 1024 * 1024;
/** Bytes that all readers together hold, or have asked for, ahead of what their clients take. */
const AHEAD_BUDGET = 16 * 1024 * 1024;
/** Bytes that all writers together have published and not seen acknowledged. */
const WRITE_BUDGET = 16 * 1024 * 1024;
/** Chunks whose places are remembered, and bytes of layout records. */
const GROUPS_WEIGHT = 1_000_000;
const LAYOUTS_WEIGHT = 16 * 1024 * 1024;

/** A store on JetStream. */
export type NatsStore = Store & Maintenance & Disposable & {
  readonly stats: () => StoreStats;
  /** Why JetStream does not answer; undefined where it does. */
  readonly problem: () => Promise<string | undefined>;
};

/**
 * Makes a store on a connection, which stays the caller's. Disposing ends what still waits.
 */
export function createNatsStore(
  connection: NatsConnection,
  options: NatsStoreOptions,
): NatsStore {
  const { apiPrefix, inboxPrefix, defaultOwner, log, nativeLayout = "off", observe } = options;
  const grace = options.grace ?? DEFAULT_GRACE;
  const timeout = options.timeout ?? DEFAULT_TIMEOUT;
  const requests = new Requests(connection, {
    apiPrefix,
    inboxPrefix,
    timeout,
    observe: observe?.call,
  });
  const digests = new DigestPool();
  const context: Context = {
    requests,
    streams: new Streams(requests, options),
    budget: new ByteBudget(READ_BUDGET),
    ahead: new ByteBudget(AHEAD_BUDGET),
    unacknowledged: new ByteBudget(WRITE_BUDGET),
    digests,
    groups: new BoundedCache(GROUPS_WEIGHT),
    layouts: new BoundedCache(LAYOUTS_WEIGHT),
    defaultOwner,
    minPartSize: options.minPartSize ?? MIN_PART_SIZE,
    grace,
    leases: new Leases(requests, nuid.next(), grace, log),
    trashed: new Set(),
    doubt: (bucket, key) => indexes.doubt(bucket, key),
    log,
    now: options.now ?? (() => new Date()),
  };
  const layouts = new NativeLayouts(context);
  /** Groups in the trash that had to wait, by bucket. */
  const waitingTrash = new Map<BucketName, number>();
  const inParts = (bucket: BucketName, key: ObjectKey): void => {
    if (nativeLayout !== "off") layouts.add(bucket, key);
  };
  const indexes = new KeyIndexes(context, {
    memory: options.indexMemory ?? INDEX_MEMORY,
    idle: options.indexIdle ?? INDEX_IDLE,
    savedFrom: options.indexSavedFrom ?? INDEX_SAVED_FROM,
    indexed: observe?.indexed,
  });

  return {
    listBuckets: () => inS3Words(listBuckets(context)),
    createBucket: (...args) => inS3Words(createBucket(context, ...args)),
    readBucket: (...args) => inS3Words(readBucket(context, ...args)),
    deleteBucket: (...args) => inS3Words(deleteBucket(context, indexes, ...args)),

    readObject: (...args) => inS3Words(readObject(context, ...args)),
    getObject: (...args) => inS3Words(getObject(context, ...args)),
    putObject: (...args) => inS3Words(putObject(context, ...args)),
    deleteObject: (...args) => inS3Words(deleteObject(context, ...args)),
    async listObjects(bucket, query) {
      const page = listPage(await inS3Words(indexes.current(bucket)), query);
      return { objects: page.entries, commonPrefixes: page.commonPrefixes, next: page.next };
    },

    createUpload: (...args) => inS3Words(createUpload(context, ...args)),
    putPart: (...args) => inS3Words(putPart(context, ...args)),
    readUpload: (...args) => inS3Words(readUpload(context, ...args)),
    listParts: (...args) => inS3Words(listParts(context, ...args)),
    listUploads: (...args) => inS3Words(listUploads(context, ...args)),
    async completeUpload(bucket, key, ...args) {
      const info = await inS3Words(completeUpload(context, bucket, key, ...args));
      if (nativeLayout === "on-complete") await layouts.rewriteNow(bucket, key);
      else inParts(bucket, key);
      return info;
    },
    abortUpload: (...args) => inS3Words(abortUpload(context, ...args)),

    trashedBuckets: () => [...context.trashed],
    async emptyTrash(bucket) {
      context.trashed.delete(bucket);
      waitingTrash.delete(bucket);
      const report = await inS3Words(emptyTrash(context, bucket));
      if (report.waiting > 0) {
        context.trashed.add(bucket);
        waitingTrash.set(bucket, report.waiting);
      }
      return report;
    },
    sweep: (bucket, options) =>
      inS3Words(sweepBucket(context, bucket, options, (key) => inParts(bucket, key))),
    rewriteNext: (signal) => inS3Words(layouts.next(signal)),
    async claimSweep(bucket, interval) {
      const stream = await inS3Words(context.streams.read(bucket));
      if (!stream.prepared) return false; // no gateway has written to it
      const seconds = Math.max(1, Math.round(interval / 1000));
      return await inS3Words(lockTask(context, stream, "sweep", seconds)) !== undefined;
    },

    async problem() {
      try {
        await requests.call("INFO");
        return undefined;
      } catch (cause) {
        return `JetStream does not answer: ${cause instanceof Error ? cause.message : cause}`;
      }
    },
    stats: () => ({
      index: indexes.stats,
      buffered: {
        read: context.budget.used,
        ahead: context.ahead.used,
        write: context.unacknowledged.used,
      },
      trashedBuckets: context.trashed.size,
      waitingTrash: waitingTrash.values().reduce((sum, waiting) => sum + waiting, 0),
      waitingToFlatten: layouts.waiting,
      flattenedBytes: layouts.bytes,
    }),

    [Symbol.dispose]() {
      indexes[Symbol.dispose]();
      requests[Symbol.dispose]();
      digests[Symbol.dispose]();
    },
  };
}

/** What JetStream refused, as S3 says it. */
async function inS3Words<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw toS3Error(cause);
  }
}
