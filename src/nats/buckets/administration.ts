/**
 * What operators see of a bucket, and what they change: limits, replicas, compression and placement.
 *
 * Every change is a read of the stream's configuration and an update of it, which keeps all other fields. JetStream has no
 * compare-and-set for configurations: a change that somebody else makes between the two is lost, some milliseconds. The lock
 * of DeleteBucket is held meanwhile, so that no fence is lost, and the configuration is read again afterwards, so that a
 * change which somebody else overwrote is made again.
 * @module
 */

import { stampOf } from "../jetstream/messages.ts";
import { S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import type { BucketInfo } from "../../store/buckets.ts";
import { monotonic, pause } from "../../world/world.ts";
import { isFull, JetStreamCode, JetStreamError, Unanswered } from "../jetstream/errors.ts";
import type { Requests } from "../jetstream/requests.ts";
import { bucketOf, type StoreName } from "../layout/names.ts";
import { type OwnerContext, readOwner } from "./buckets.ts";
import { hasLeader } from "./create_stream.ts";
import { readInfo, updateStream } from "./fence.ts";
import { streamInfos } from "./list_streams.ts";
import { locationOf, type PlacementConfig } from "./location.ts";
import { lockTask, type TaskLock } from "./lock.ts";
import { objectLimitOf } from "./object_limit.ts";
import { quotaOf } from "./reserve.ts";
import { isFenced, type StreamConfig, type StreamInfo } from "./stream_config.ts";
import type { BucketStream, Streams } from "./streams.ts";

/** A bucket as operators see it. */
export type BucketDetails = BucketInfo & {
  readonly stream: string;
  /** Bytes that the bucket takes of its quota, without replicas: objects, records and bytes to be freed. */
  readonly bytes: number;
  /** Bytes that PUTs may fill; undefined for no limit. */
  readonly quota: number | undefined;
  /** Number of objects from which on PUTs add none; undefined for no limit. */
  readonly objectLimit: number | undefined;
  readonly replicas: number;
  readonly storage: string;
  readonly compression: string;
  readonly placement: PlacementConfig;
  /** The NATS cluster that keeps the bucket; undefined for a server that runs alone, which ignores placements. */
  readonly cluster: string | undefined;
  /** It is a mirror of a bucket in another domain, or sealed. */
  readonly isReadOnly: boolean;
};

/** Returns the configuration that is wanted instead of a stream's present one. */
export type ConfigChange = (info: StreamInfo) => StreamConfig;

type Context = OwnerContext & { readonly requests: Requests; readonly streams: Streams };

/** Attempts at a change that others overwrite. */
const ATTEMPTS = 3;
/** Seconds for which the lock lasts unless it is released. */
const LOCK_SECONDS = 30;

/** Milliseconds in which new replicas elect a leader, and between looks. */
const SETTLING = 10_000;
const LOOK = 250;

/** Lists all buckets, in the order of their streams. */
export async function listDetails(context: Context): Promise<readonly BucketDetails[]> {
  const found: BucketDetails[] = [];
  for await (const { store, info } of streamInfos(context.requests)) {
    const name = bucketOf(store);
    if (name !== undefined) found.push(await describe(context, name, store, info));
  }
  return found;
}

/**
 * Reads one bucket.
 *
 * @throws S3Error `NoSuchBucket`
 */
export async function readDetails(context: Context, bucket: BucketName): Promise<BucketDetails> {
  const { store } = await context.streams.read(bucket);
  return await describe(context, bucket, store, await readInfo(context.requests, store));
}

/**
 * Changes the configuration of a bucket's stream and reads the bucket.
 *
 * @throws S3Error `NoSuchBucket`, `OperationAborted` if somebody deletes the bucket or makes other changes at the same time,
 *   `AccessDenied` for a mirror or a sealed bucket; JetStreamError if JetStream refuses the change; what `change` throws
 */
export async function changeBucket(
  context: Context,
  bucket: BucketName,
  change: ConfigChange,
): Promise<BucketDetails> {
  const stream = await context.streams.read(bucket);
  if (stream.readOnly || stream.sealed) {
    throw new S3Error("AccessDenied", { BucketName: bucket }, {
      message: `The bucket is ${stream.sealed ? "sealed" : "a mirror"}, so it cannot be changed.`,
    });
  }
  const lock = await keepDeletionOut(context, stream);
  try {
    for (let attempt = 1;; attempt++) {
      const info = await readInfo(context.requests, stream.store);
      if (isFenced(stream.store, info.config)) throw inTheWay(bucket);
      const wanted = change(info);
      await update(context.requests, stream.store, wanted);
      const { config } = await readSettled(context.requests, stream.store);
      if (isSame(config, wanted)) break;
      if (attempt === ATTEMPTS) throw inTheWay(bucket);
    }
  } finally {
    await lock?.release().catch(() => {}); // it expires
  }
  return await readDetails(context, bucket);
}

/** Takes the lock of DeleteBucket. A bucket without our records, or without room for one, goes without. */
async function keepDeletionOut(
  { requests }: Pick<Context, "requests">,
  stream: BucketStream,
): Promise<TaskLock | undefined> {
  if (!stream.prepared || stream.fenced) return undefined;
  let lock: TaskLock | undefined;
  try {
    lock = await lockTask({ requests }, stream, "delete", LOCK_SECONDS);
  } catch (cause) {
    if (isFull(cause)) return undefined;
    throw cause;
  }
  if (lock === undefined) throw inTheWay(stream.bucket);
  return lock;
}

/** Reads a stream that was changed, once it has a leader: new replicas elect one, and a request in between gets no response. */
async function readSettled(requests: Requests, store: StoreName): Promise<StreamInfo> {
  for (const until = monotonic() + SETTLING;;) {
    try {
      const info = await readInfo(requests, store);
      if (hasLeader(info) || monotonic() > until) return info;
    } catch (cause) {
      if (!(cause instanceof Unanswered) || monotonic() > until) throw cause;
    }
    await pause(LOOK);
  }
}

/**
 * Updates a stream, after the change before it: a cluster moves replicas for a while after it accepted a change, and refuses
 * another one until then. If no response comes, the caller looks whether the update was made.
 */
async function update(requests: Requests, store: StoreName, config: StreamConfig): Promise<void> {
  for (const until = monotonic() + SETTLING;;) {
    try {
      return void await updateStream(requests, store, config);
    } catch (cause) {
      if (cause instanceof Unanswered) return;
      const isEarly = cause instanceof JetStreamError &&
        cause.code === JetStreamCode.ReconfigurationInProgress;
      if (!isEarly || monotonic() > until) throw cause;
    }
    await pause(LOOK);
  }
}

function inTheWay(bucket: BucketName): S3Error {
  return new S3Error("OperationAborted", { BucketName: bucket }, {
    message: "Somebody else deletes or changes the bucket at the same time. Try again.",
  });
}

/** Returns whether a configuration has the fields that operators change as they are wanted. */
function isSame(config: StreamConfig, wanted: StreamConfig): boolean {
  const facts = (
    { max_bytes = -1, num_replicas, compression, placement, metadata }: StreamConfig,
  ) =>
    JSON.stringify([
      max_bytes,
      num_replicas,
      compression,
      placement?.cluster ?? "",
      placement?.tags ?? [],
      // nats-server has keys of its own.
      Object.entries(metadata ?? {}).filter(([name]) => !name.startsWith("_nats.")).sort(),
    ]);
  return facts(config) === facts(wanted);
}

async function describe(
  context: OwnerContext,
  name: BucketName,
  store: StoreName,
  { config, created, state, cluster }: StreamInfo,
): Promise<BucketDetails> {
  const { max_bytes = -1, num_replicas, compression = "none", placement, mirror, sealed } = config;
  const quota = quotaOf(max_bytes);
  const objectLimit = objectLimitOf(config.metadata);
  const stream = { store, created: new Date(created), lastStamp: stampOf(state.last_ts) };
  const owner = await readOwner(context, stream).catch(() => undefined);
  return {
    name,
    created: stream.created,
    owner: owner?.accessKeyId,
    account: owner?.account,
    location: locationOf(config.metadata),
    stream: config.name,
    bytes: state.bytes,
    quota: quota === Infinity ? undefined : quota,
    objectLimit: objectLimit === Infinity ? undefined : objectLimit,
    replicas: num_replicas,
    storage: String(config["storage"] ?? "file"),
    compression,
    placement: placement ?? {},
    cluster: cluster?.name,
    isReadOnly: Boolean(mirror) || sealed === true,
  };
}
