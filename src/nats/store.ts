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
  type BucketDetails,
  changeBucket,
  type ConfigChange,
  listDetails,
  readDetails,
} from "./buckets/administration.ts";
import {
  hasBucket,
  knownBucketOwner,
  listBuckets,
  readBucket,
  readBucketOwner,
} from "./buckets/buckets.ts";
import { createBucket } from "./buckets/create_bucket.ts";
import { deleteBucket } from "./buckets/delete_bucket.ts";
import {
  type BucketsObserver,
  type BucketsOptions,
  createBucketsContext,
} from "./buckets/context.ts";
import { isEmpty } from "./buckets/emptiness.ts";
import { giveBucketTo } from "./buckets/give_to.ts";
import { claimLifecycle, readServerTime } from "./buckets/lifecycle_claim.ts";
import { knownDocument, readDocument } from "./buckets/read_document.ts";
import { prepareVersioning } from "./buckets/versioning.ts";
import { changeDocument, preparePolicy, writeDocument } from "./buckets/write_document.ts";
import { Cleanup } from "./cleanup/cleanup.ts";
import { findNamed } from "./cleanup/references.ts";
import { findProblem } from "./jetstream/availability.ts";
import { type IndexObserver, type IndexSettings, KeyIndexes } from "./listing/key_indexes.ts";
import type { VersionCount } from "./listing/count_versions.ts";
import { createObjectsContext, type ObjectsOptions } from "./objects/context.ts";
import { versionAsOf } from "./objects/as_of.ts";
import { changeLock } from "./objects/change_version.ts";
import { deleteObject, getObject, readObject } from "./objects/objects.ts";
import { putObject } from "./objects/put.ts";
import { renameObject } from "./objects/rename.ts";
import { putObjectTags } from "./objects/tags.ts";
import { translateErrors, translateErrorsIn } from "./s3_errors.ts";
import { abortUpload } from "./uploads/abort.ts";
import { completeUpload } from "./uploads/complete.ts";
import { createUploadsContext, type UploadsOptions } from "./uploads/context.ts";
import { Flattener, type FlattenerOptions } from "./uploads/flatten.ts";
import { listUploads } from "./uploads/list.ts";
import type { NativeLayout } from "./uploads/native_layout.ts";
import { listParts, putPart } from "./uploads/parts.ts";
import { createUpload, readUpload } from "./uploads/uploads.ts";
import { createKvUsers, type KvUsers, type UserSettings } from "./users/create_users.ts";

/** Options of a store on JetStream: those of its rooms, and how they work together. */
export type NatsStoreOptions =
  & BucketsOptions
  & ObjectsOptions
  & UploadsOptions
  & FlattenerOptions
  & IndexSettings
  & {
    /** How users are kept; without secrets by default. */
    readonly users?: UserSettings;
    /** When multipart objects are rewritten for native clients; never by default. */
    readonly nativeLayout?: NativeLayout;
    readonly observe?: StoreObserver | undefined;
  };

/** Observers of a store's work, which return at once and do not throw. */
export type StoreObserver = BucketsObserver & {
  readonly indexed?: IndexObserver;
};

/** What operators see of buckets and change about them, in terms of JetStream. Errors are those of JetStream. */
export type BucketAdministration = {
  readonly list: () => Promise<readonly BucketDetails[]>;
  readonly read: (bucket: BucketName) => Promise<BucketDetails>;
  readonly change: (bucket: BucketName, change: ConfigChange) => Promise<BucketDetails>;
  /** Gives a bucket to another account. */
  readonly giveTo: (bucket: BucketName, account: string) => Promise<void>;
  /** Counts the objects of a bucket. It reads the names of all, or the saved index and what is newer. */
  readonly count: (bucket: BucketName) => Promise<number>;
  /** Counts objects, noncurrent versions and delete markers, and their bytes, in the same way. */
  readonly countVersions: (bucket: BucketName) => Promise<VersionCount>;
};

/** A store on JetStream. */
export type NatsStore = Store & Maintenance & Disposable & {
  readonly administration: BucketAdministration;
  /** Accounts, users, groups and policies. */
  readonly users: KvUsers;
  readonly stats: () => StoreStats;
  /** Tells why JetStream does not respond; undefined if it does. */
  readonly problem: () => Promise<string | undefined>;
};

/** Creates a store on a connection, which stays the caller's. Disposing the store ends its work in progress. */
export function createNatsStore(connection: NatsConnection, options: NatsStoreOptions): NatsStore {
  const { nativeLayout = "off", observe } = options;
  const buckets = createBucketsContext(connection, options, observe);
  const indexes = new KeyIndexes(buckets, options, observe?.indexed);
  const objects = createObjectsContext(buckets, options, {
    countKeys: (bucket, key) => indexes.count(bucket, key),
    doubt: (bucket, key) => indexes.doubt(bucket, key),
    findNamed: (stream, nuids) => findNamed(buckets, stream, nuids),
  });
  const context = createUploadsContext(objects, options);
  const { requests, streams, budget, ahead, unacknowledged, digests } = context;
  const inBucket = <T>(bucket: BucketName, work: Promise<T>): Promise<T> =>
    translateErrorsIn(streams, bucket, work);
  const looksEmpty = (bucket: BucketName): Promise<boolean> => isEmpty(context, bucket);
  const flattener = new Flattener(context, options);
  const inParts = (bucket: BucketName, key: ObjectKey): void => {
    if (nativeLayout !== "off") flattener.add(bucket, key);
  };
  const cleanup = new Cleanup(context, inParts);
  const users = createKvUsers(context, options.users, options);

  return {
    listBuckets: () => translateErrors(listBuckets(context)),
    createBucket: (...args) => translateErrors(createBucket(context, ...args)),
    readBucket: (bucket) => inBucket(bucket, readBucket(context, bucket)),
    readOwner: (bucket) => inBucket(bucket, readBucketOwner(context, bucket)),
    knownOwner: (bucket) => knownBucketOwner(context, bucket),
    knownLocation: (bucket) => streams.knownLocation(bucket),
    hasBucket: (bucket) => translateErrors(hasBucket(context, bucket)),
    readDocument: (bucket, kind) => inBucket(bucket, readDocument(context, bucket, kind)),
    knownDocument: (bucket, kind) => knownDocument(context, bucket, kind),
    preparePolicy: (bucket, ...args) => inBucket(bucket, preparePolicy(context, bucket, ...args)),
    prepareVersioning: (bucket) => inBucket(bucket, prepareVersioning(context, bucket)),
    putDocument: (bucket, ...args) => inBucket(bucket, writeDocument(context, bucket, ...args)),
    changeDocument: (bucket, ...args) => inBucket(bucket, changeDocument(context, bucket, ...args)),
    deleteDocument: (bucket, kind, options) =>
      inBucket(bucket, writeDocument(context, bucket, kind, undefined, options)),
    deleteBucket: (bucket) => inBucket(bucket, deleteBucket(context, looksEmpty, bucket)),

    readObject: (bucket, ...args) => inBucket(bucket, readObject(context, bucket, ...args)),
    getObject: (bucket, ...args) => inBucket(bucket, getObject(context, bucket, ...args)),
    versionAsOf: (bucket, ...args) => inBucket(bucket, versionAsOf(context, bucket, ...args)),
    putObject: (bucket, ...args) => inBucket(bucket, putObject(context, bucket, ...args)),
    putObjectTags: (bucket, ...args) => inBucket(bucket, putObjectTags(context, bucket, ...args)),
    deleteObject: (bucket, ...args) => inBucket(bucket, deleteObject(context, bucket, ...args)),
    async renameObject(bucket, source, key, input) {
      const work = renameObject(context, bucket, source, key, input);
      const { isInParts, ...renamed } = await inBucket(bucket, work);
      if (isInParts) inParts(bucket, key);
      return renamed;
    },
    changeLock: (bucket, ...args) => inBucket(bucket, changeLock(context, bucket, ...args)),
    listVersions: (bucket, ...args) => inBucket(bucket, indexes.listVersions(bucket, ...args)),
    listObjects: (bucket, ...args) => inBucket(bucket, indexes.list(bucket, ...args)),

    createUpload: (bucket, ...args) => inBucket(bucket, createUpload(context, bucket, ...args)),
    putPart: (bucket, ...args) => inBucket(bucket, putPart(context, bucket, ...args)),
    readUpload: (bucket, ...args) => inBucket(bucket, readUpload(context, bucket, ...args)),
    listParts: (bucket, ...args) => inBucket(bucket, listParts(context, bucket, ...args)),
    listUploads: (bucket, ...args) => inBucket(bucket, listUploads(context, bucket, ...args)),
    async completeUpload(bucket, key, ...args) {
      const completing = completeUpload(context, bucket, key, ...args);
      const info = await inBucket(bucket, completing);
      if (nativeLayout === "on-complete") await flattener.flattenNow(bucket, key);
      else inParts(bucket, key);
      return info;
    },
    abortUpload: (bucket, ...args) => inBucket(bucket, abortUpload(context, bucket, ...args)),

    bucketsToFree: () => cleanup.trashed,
    freeReplaced: (bucket) => inBucket(bucket, cleanup.emptyTrash(bucket)),
    sweep: (bucket, ...args) => inBucket(bucket, cleanup.sweep(bucket, ...args)),
    claimSweep: (bucket, ...args) => inBucket(bucket, cleanup.claimSweep(bucket, ...args)),
    claimLifecycle: (bucket) => inBucket(bucket, claimLifecycle(context, bucket)),
    serverTime: (bucket) => inBucket(bucket, readServerTime(context, bucket)),
    flattenNext: (signal) => translateErrors(flattener.next(signal)),

    administration: {
      list: () => listDetails(context),
      read: (bucket) => readDetails(context, bucket),
      change: (bucket, change) => changeBucket(context, bucket, change),
      giveTo: (bucket, account) => giveBucketTo(context, bucket, account),
      count: async (bucket) => (await indexes.count(bucket)).count,
      countVersions: (bucket) => indexes.countVersions(bucket),
    },

    users,

    problem: () => findProblem(requests),
    stats: () => ({
      index: indexes.stats,
      buffered: { read: budget.used, ahead: ahead.used, write: unacknowledged.used },
      forgetfulBuckets: context.forgetful.count,
      trashedBuckets: context.trashed.size,
      waitingTrash: cleanup.waiting,
      waitingToFlatten: flattener.waiting,
      flattenedBytes: flattener.bytes,
      users: users.counts,
    }),

    [Symbol.dispose]() {
      users[Symbol.dispose]();
      indexes[Symbol.dispose]();
      requests[Symbol.dispose]();
      digests[Symbol.dispose]();
    },
  };
}
