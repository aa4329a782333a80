/**
 * One chunk group for native clients: objects that were uploaded in parts are rewritten, so that a native get finds their
 * bytes.
 *
 * The bytes are copied into a fresh group and the object info is replaced by compare-and-set: who reads meanwhile reads
 * the parts, which then go the way of everything that is replaced. A crash leaves a group that nothing names, and an
 * object as it was, which the next sweep finds. ETag, parts, checksum and times stay.
 * @module
 */

import { isS3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type {
  ContentInput,
  LayoutOutcome,
  ObjectInfo,
  RewrittenObject,
} from "../../store/store.ts";
import { type ByteSource, sourceOf, sourceOfPiece } from "../../streams/byte_source.ts";
import { writeChunks, type WrittenChunks } from "../objects/chunk_writer.ts";
import { commitInfo, readCurrent } from "../objects/commit.ts";
import type { UploadsContext } from "./context.ts";
import { Unanswered } from "../jetstream/errors.ts";
import { chunkSubject, records } from "../layout/subjects.ts";
import { newNuid, type Nuid } from "../layout/nuid.ts";
import { formatChunkMap, MAX_CHUNK_MAP_LENGTH } from "../layout/chunk_map.ts";
import { openBytes, withPartSizes } from "../objects/bytes.ts";
import {
  formatInfo,
  MAX_PARTS_TEXT,
  MAX_SEEK_TEXT,
  type StoredObject,
} from "../layout/object_info.ts";
import { formatRuns, formatSequences } from "../layout/runs.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { lockTask, type TaskLock } from "../buckets/lock.ts";
import { purgeGroup, trashGroup } from "../objects/trash.ts";
import { monotonic, pause, startTicker, stopTicker } from "../../world/world.ts";

type WaitingObject = Pick<RewrittenObject, "bucket" | "key">;

/** Greatest object that is rewritten, in bytes: its table of chunks fits into one message. */
const MAX_SIZE = 32 * 1024 ** 3;
/** Share of the time in which bytes move in the background. */
const SHARE = 0.25;
/** Milliseconds that are waited at a time, at least. */
const PAUSE = 20;
const LOCK_SECONDS = 60;
/** Most objects that wait in memory; the sweep finds the others again. */
const MOST_WAITING = 100_000;

/** The objects that this gateway will rewrite. */
export class NativeLayouts {
  readonly #context: UploadsContext;
  readonly #waiting = new Map<string, WaitingObject>();
  #bytes = 0;

  constructor(context: UploadsContext) {
    this.#context = context;
  }

  /** How many objects wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Bytes of objects that were read so far to be rewritten. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Has an object wait. */
  add(bucket: BucketName, key: ObjectKey): void {
    if (this.#waiting.size < MOST_WAITING) this.#waiting.set(`${bucket}/${key}`, { bucket, key });
  }

  /**
   * Rewrites the object that has waited longest, unhurried.
   *
   * @returns the object and what became of it; undefined where none waits
   */
  async next(signal: AbortSignal): Promise<RewrittenObject | undefined> {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [name, { bucket, key }] = first;
    this.#waiting.delete(name);
    try {
      const outcome = await rewrite(this.#context, bucket, key, {
        share: SHARE,
        signal,
        moved: this.#moved,
      });
      return { bucket, key, outcome };
    } catch (cause) {
      if (isS3Error(cause, "NoSuchBucket")) return { bucket, key, outcome: "needless" };
      throw cause;
    }
  }

  /** Rewrites an object as fast as it can. Where that fails it stays in parts, until the sweep finds it. */
  async rewriteNow(bucket: BucketName, key: ObjectKey): Promise<void> {
    const { log } = this.#context;
    try {
      await rewrite(this.#context, bucket, key, { share: 1, moved: this.#moved });
    } catch (cause) {
      log.warn("object was not rewritten for native clients", { bucket, key, cause });
    }
  }

  readonly #moved = (bytes: number): void => {
    this.#bytes += bytes;
  };
}

type RewriteOptions = {
  /** Of the time, in which bytes move. */
  readonly share: number;
  /** Ends it and leaves the object as it was. */
  readonly signal?: AbortSignal | undefined;
  /** Told of bytes that were read. */
  readonly moved: (bytes: number) => void;
};

/** Rewrites an object into one chunk group, if it is in parts. */
async function rewrite(
  context: UploadsContext,
  bucket: BucketName,
  key: ObjectKey,
  options: RewriteOptions,
): Promise<LayoutOutcome> {
  const stream = await context.streams.get(bucket);
  const { parsed, sequence } = await readCurrent(context, stream, key);
  if (parsed.kind !== "object" || parsed.object.bytes.kind !== "parts") return "needless";
  if (parsed.object.info.size > MAX_SIZE) return "too-large";
  const old = parsed.object.bytes.nuid;
  const lock = await lockTask(context, stream, `layout-${old}`, LOCK_SECONDS);
  if (lock === undefined) return "taken";
  try {
    return await rewriteLocked(context, stream, key, {
      object: parsed.object,
      sequence,
      lock,
      ...options,
    });
  } finally {
    await lock.release().catch(() => {}); // it expires
  }
}

async function rewriteLocked(
  context: UploadsContext,
  stream: BucketStream,
  key: ObjectKey,
  { object, sequence, lock, ...options }: RewriteOptions & {
    readonly object: StoredObject;
    readonly sequence: number;
    readonly lock: TaskLock;
  },
): Promise<LayoutOutcome> {
  const info = await withPartSizes(context, stream, object, { partChecksums: true });
  const body = await openBytes(context, stream, object, "all");
  if (body === null) return "needless";
  const nuid = newNuid(key);
  const old = object.bytes.nuid;
  const ended = new AbortController();
  const renewing = startTicker(LOCK_SECONDS * 1000 / 4, () => {
    lock.renew().then((isHeld) => isHeld || ended.abort(), () => {}); // the next one may succeed
  });
  try {
    const source = body instanceof Uint8Array ? sourceOfPiece(body) : sourceOf(body);
    const { checksum } = info;
    const isWhole = checksum?.type === "FULL_OBJECT";
    const content: ContentInput = {
      stream: unhurried(source, options),
      size: info.size,
      algorithm: isWhole ? checksum.algorithm : undefined,
      verify(received) {
        if (!isWhole || received.checksum === checksum.value) return;
        throw new Error(
          `The bytes of "${key}" do not have the checksum that they were stored with`,
        );
      },
    };
    const { signal } = options;
    const ends = AbortSignal.any([ended.signal, ...(signal === undefined ? [] : [signal])]);
    const written = await writeChunks(context, chunkSubject(stream.store, nuid), content, ends);
    content.verify(written.received);
    const message = await describe(context, stream, nuid, info, written);
    if (message === undefined) {
      await purgeGroup(context, stream, nuid);
      return "too-large";
    }
    const outcome = await commitInfo(context, stream, key, { nuid, message, expect: sequence });
    if (outcome.kind === "committed") {
      await trashGroup(context, stream, key, old);
      return "rewritten";
    }
    await purgeGroup(context, stream, nuid);
    return "needless";
  } catch (cause) {
    // What may yet be committed is the sweep's.
    if (!(cause instanceof Unanswered)) await purgeGroup(context, stream, nuid).catch(() => {});
    throw cause;
  } finally {
    stopTicker(renewing);
  }
}

/** The object info of the new group; undefined where no record can hold the table of its chunks. */
async function describe(
  context: UploadsContext,
  stream: BucketStream,
  nuid: Nuid,
  info: ObjectInfo,
  { received, chunkSize, sequences }: WrittenChunks,
): Promise<string | undefined> {
  const { store } = stream;
  const seek = formatSequences(sequences);
  const { partSizes = [], partChecksums } = info;
  const isLong = seek.length > MAX_SEEK_TEXT || formatRuns(partSizes).length > MAX_PARTS_TEXT ||
    partChecksums !== undefined;
  if (isLong) {
    const layout = formatChunkMap({ kind: "seek", sequences, partSizes, partChecksums });
    if (layout.length > MAX_CHUNK_MAP_LENGTH) return undefined;
    await context.requests.publish(records.layout(store, nuid), layout, { rollup: true });
  }
  return formatInfo({
    ...info,
    owner: info.owner ?? "",
    store,
    nuid,
    chunks: sequences.length,
    chunkSize,
    sha256: received.sha256,
    seek: isLong ? undefined : seek,
    layout: isLong ? "seek" : undefined,
  });
}

/** Passes a source on and rests, so that bytes move in a share of the time. */
function unhurried(source: ByteSource, { share, signal, moved }: RewriteOptions): ByteSource {
  let resumed = monotonic();
  let owed = 0;
  return {
    async read() {
      owed += (monotonic() - resumed) * (1 / share - 1);
      if (owed >= PAUSE) {
        await pause(owed, signal);
        owed = 0;
      }
      resumed = monotonic();
      const piece = await source.read();
      moved(piece?.length ?? 0);
      return piece;
    },
    cancel: (reason) => source.cancel(reason),
  };
}
