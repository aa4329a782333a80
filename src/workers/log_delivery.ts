/**
 * Stores batches of server access logs as objects in their target buckets, and tries again what fails.
 *
 * A batch keeps its key, so an attempt that succeeded without a response is overwritten by the next one with the same
 * lines. What is stored this way is no request: it has no line in any log, not even if its target is logged too.
 * @module
 */

import { Buffer } from "node:buffer";
import type { ChecksumAlgorithm } from "../s3/checksum_algorithms.ts";
import { isS3Error, S3Error } from "../s3/errors.ts";
import { formatLog } from "../s3/log_line.ts";
import { logObjectKey, type LogSource } from "../s3/logging.ts";
import type { BucketName } from "../s3/names.ts";
import type { BucketInfo } from "../store/buckets.ts";
import type { Store } from "../store/store.ts";
import { sourceOfPiece } from "../streams/byte_source.ts";
import type { Log } from "../telemetry/log.ts";
import { monotonic, randomBytes, wallClock } from "../world/world.ts";
import type { LogBatch } from "./log_batch.ts";

/** Number of objects that are stored at the same time. */
const AT_ONCE = 2;

/** Where batches go, and what becomes of them. */
export type DeliveryOptions = Pick<LogSource, "account" | "region"> & {
  readonly store: Pick<Store, "readBucket" | "putObject">;
  /** Returns the owner of a bucket, to be compared with that of another one. */
  readonly ownerOf: (bucket: BucketInfo) => string | undefined;
  /** The checksum of log objects; undefined for none. */
  readonly checksum: ChecksumAlgorithm | undefined;
  readonly log: Pick<Log, "warn">;
  /** Milliseconds after its first line for which a batch is tried again. */
  readonly patience: number;
  readonly stored: (batch: LogBatch) => void;
  readonly lost: (batch: LogBatch) => void;
};

/** Stores batches, some at a time. */
export class LogDelivery {
  readonly #options: DeliveryOptions;
  readonly #abort = new AbortController();
  readonly #writing = new Set<LogBatch>();
  /** Target buckets whose last object could not be stored. */
  readonly #failing = new Set<BucketName>();
  #queue: LogBatch[] = [];
  #failed: LogBatch[] = [];
  #idle: (() => void)[] = [];

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Whether no batch waits. */
  get isIdle(): boolean {
    return this.#failed.length + this.#queue.length + this.#writing.size === 0;
  }

  /** Stores batches. */
  begin(batches: readonly LogBatch[]): void {
    this.#queue.push(...batches);
    this.#next();
  }

  /** Stores the batches that failed before. */
  retry(): void {
    const batches = this.#failed;
    this.#failed = [];
    this.begin(batches);
  }

  /** Resolves when each batch was stored, has failed or was lost. */
  async settled(): Promise<void> {
    if (this.#queue.length + this.#writing.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Gives up everything that is not stored. */
  end(): void {
    const left = [...this.#writing, ...this.#queue, ...this.#failed];
    this.#queue = this.#failed = [];
    this.#writing.clear();
    this.#abort.abort();
    for (const batch of left) this.#options.lost(batch);
  }

  #next(): void {
    while (this.#writing.size < AT_ONCE) {
      const batch = this.#queue.shift();
      if (batch === undefined) break;
      this.#writing.add(batch);
      this.#deliver(batch);
    }
    if (this.#writing.size > 0) return;
    for (const tell of this.#idle) tell();
    this.#idle = [];
  }

  async #deliver(batch: LogBatch): Promise<void> {
    const { bucket } = batch.target;
    let failure: { readonly cause: unknown } | undefined;
    try {
      await this.#write(batch);
    } catch (cause) {
      failure = { cause };
    }
    if (!this.#writing.delete(batch)) return; // given up meanwhile
    if (failure === undefined) {
      this.#failing.delete(bucket);
      this.#options.stored(batch);
    } else {
      this.#fail(batch, failure.cause);
    }
    this.#next();
  }

  #fail(batch: LogBatch, cause: unknown): void {
    const { patience, lost, log } = this.#options;
    const { source, target: { bucket }, since } = batch;
    const isFinal = isS3Error(cause, "InvalidTargetBucketForLogging", "KeyTooLongError");
    if (isFinal || monotonic() - since >= patience) lost(batch);
    else this.#failed.push(batch);
    if (this.#failing.has(bucket)) return;
    this.#failing.add(bucket);
    log.warn("Access logs cannot be delivered: they wait for some minutes and are then dropped", {
      bucket: source,
      target: bucket,
      cause,
    });
  }

  async #write(batch: LogBatch): Promise<void> {
    const { store, account, region, checksum: algorithm } = this.#options;
    const { source, target, event, lines } = batch;
    const info = await store.readBucket(target.bucket);
    const { owner } = info;
    if (!await this.#haveOneOwner(source, event, info)) {
      throw new S3Error("InvalidTargetBucketForLogging", { TargetBucket: target.bucket });
    }
    const times = { event, delivery: wallClock() };
    batch.key ??= logObjectKey(target, { account, region, bucket: source }, times, uniqueName());
    const bytes = new Uint8Array(Buffer.from(formatLog(owner, lines)));
    await store.putObject(target.bucket, batch.key, {
      content: { stream: sourceOfPiece(bytes), size: bytes.length, algorithm, verify: () => {} },
      properties: { system: { contentType: "text/plain" }, user: {}, tags: {} },
      owner: owner ?? "",
      precondition: {},
      signal: this.#abort.signal,
    });
  }

  /**
   * Returns whether a logged bucket and its target have the same owner. They had if the logged one was deleted since, unless
   * the target is a newer bucket of this name.
   */
  async #haveOneOwner(source: BucketName, event: Date, target: BucketInfo): Promise<boolean> {
    const { store, ownerOf } = this.#options;
    try {
      return ownerOf(await store.readBucket(source)) === ownerOf(target);
    } catch (cause) {
      if (isS3Error(cause, "NoSuchBucket")) return target.created <= event;
      throw cause;
    }
  }
}

/** Returns 16 random characters of `0-9A-F`. */
function uniqueName(): string {
  return Buffer.from(randomBytes(8)).toString("hex").toUpperCase();
}
