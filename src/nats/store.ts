/**
 * The store on NATS JetStream: a bucket is a stream, an object is chunks and one metadata message.
 *
 * This file joins the rooms, each a folder.
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import type { BucketName, ObjectKey } from "../s3/names.ts";
import type { Maintenance } from "../store/maintenance.ts";
import type { Store } from "../store/store.ts";
import type { StoreStats } from "../telemetry/metrics/store.ts";
import {
  createBucket,
  deleteBucket,
  hasBucket,
  listBuckets,
  readBucket,
} from "./buckets/buckets.ts";
import { type BucketsOptions, createBucketsContext } from "./buckets/context.ts";
import { isEmpty } from "./buckets/emptiness.ts";
import { Cleanup } from "./cleanup/cleanup.ts";
import { findNamed } from "./cleanup/references.ts";
import { findProblem } from "./jetstream/availability.ts";
import type { CallObserver } from "./jetstream/call_observer.ts";
import { type IndexObserver, type IndexSettings, KeyIndexes } from "./listing/key_indexes.ts";
import { createObjectsContext, type ObjectsOptions } from "./objects/context.ts";
import { deleteObject, getObject, readObject } from "./objects/objects.ts";
import { putObject } from "./objects/put.ts";
import { translateErrors } from "./s3_errors.ts";
import { abortUpload } from "./uploads/abort.ts";
import { completeUpload } from "./uploads/complete.ts";
import { createUploadsContext, type UploadsOptions } from "./uploads/context.ts";
import { Flattener, type FlattenerOptions } from "./uploads/flatten.ts";
import type { NativeLayout } from "./uploads/native_layout.ts";
import { listParts, putPart } from "./uploads/parts.ts";
import { createUpload, listUploads, readUpload } from "./uploads/uploads.ts";

/** Options of a store on JetStream: those of its rooms, and how they work together. */
export type NatsStoreOptions =
  & BucketsOptions
  & ObjectsOptions
  & UploadsOptions
  & FlattenerOptions
  & IndexSettings
  & {
    /** When multipart objects are rewritten for native clients; never by default. */
    readonly nativeLayout?: NativeLayout;
    readonly observe?: StoreObserver | undefined;
  };

/** Observers of a store's work, which return at once and do not throw. */
export type StoreObserver = {
  readonly call?: CallObserver;
  readonly indexed?: IndexObserver;
};

/** A store on JetStream. */
export type NatsStore = Store & Maintenance & Disposable & {
  readonly stats: () => StoreStats;
  /** Tells why JetStream does not respond; undefined if it does. */
  readonly problem: () => Promise<string | undefined>;
};

/** Creates a store on a connection, which stays the caller's. Disposing the store ends its work in progress. */
export function createNatsStore(connection: NatsConnection, options: NatsStoreOptions): NatsStore {
  const { nativeLayout = "off", observe } = options;
  const buckets = createBucketsContext(connection, options, observe?.call);
  const indexes = new KeyIndexes(buckets, options, observe?.indexed);
  const objects = createObjectsContext(buckets, options, {
    doubt: (bucket, key) => indexes.doubt(bucket, key),
    findNamed: (stream, nuids) => findNamed(buckets, stream, nuids),
  });
  const context = createUploadsContext(objects, options);
  const { requests, budget, ahead, unacknowledged, digests } = context;
  const flattener = new Flattener(context, options);
  const inParts = (bucket: BucketName, key: ObjectKey): void => {
    if (nativeLayout !== "off") flattener.add(bucket, key);
  };
  const cleanup = new Cleanup(context, inParts);

  return {
    listBuckets: () => translateErrors(listBuckets(context)),
    createBucket: (...args) => translateErrors(createBucket(context, ...args)),
    readBucket: (...args) => translateErrors(readBucket(context, ...args)),
    hasBucket: (...args) => translateErrors(hasBucket(context, ...args)),
    deleteBucket: (...args) =>
      translateErrors(deleteBucket(context, (bucket) => isEmpty(context, bucket), ...args)),

    readObject: (...args) => translateErrors(readObject(context, ...args)),
    getObject: (...args) => translateErrors(getObject(context, ...args)),
    putObject: (...args) => translateErrors(putObject(context, ...args)),
    deleteObject: (...args) => translateErrors(deleteObject(context, ...args)),
    listObjects: (...args) => translateErrors(indexes.list(...args)),

    createUpload: (...args) => translateErrors(createUpload(context, ...args)),
    putPart: (...args) => translateErrors(putPart(context, ...args)),
    readUpload: (...args) => translateErrors(readUpload(context, ...args)),
    listParts: (...args) => translateErrors(listParts(context, ...args)),
    listUploads: (...args) => translateErrors(listUploads(context, ...args)),
    async completeUpload(bucket, key, ...args) {
      const info = await translateErrors(completeUpload(context, bucket, key, ...args));
      if (nativeLayout === "on-complete") await flattener.flattenNow(bucket, key);
      else inParts(bucket, key);
      return info;
    },
    abortUpload: (...args) => translateErrors(abortUpload(context, ...args)),

    bucketsToFree: () => cleanup.trashed,
    freeReplaced: (...args) => translateErrors(cleanup.emptyTrash(...args)),
    sweep: (...args) => translateErrors(cleanup.sweep(...args)),
    claimSweep: (...args) => translateErrors(cleanup.claimSweep(...args)),
    flattenNext: (signal) => translateErrors(flattener.next(signal)),

    problem: () => findProblem(requests),
    stats: () => ({
      index: indexes.stats,
      buffered: { read: budget.used, ahead: ahead.used, write: unacknowledged.used },
      trashedBuckets: context.trashed.size,
      waitingTrash: cleanup.waiting,
      waitingToFlatten: flattener.waiting,
      flattenedBytes: flattener.bytes,
    }),

    [Symbol.dispose]() {
      indexes[Symbol.dispose]();
      requests[Symbol.dispose]();
      digests[Symbol.dispose]();
    },
  };
}
