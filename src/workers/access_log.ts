/**
 * Server access logs: collects the lines of requests to logged buckets in memory, and stores them within minutes.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html
 *
 * Requests never wait for it. Lines take a bounded amount of memory; further lines are dropped and counted. As on AWS,
 * logs are complete on a best effort: a process that is killed loses the lines that wait.
 * @module
 */

import type { ChecksumAlgorithm } from "../s3/checksum_algorithms.ts";
import { type EndedRequest, logLine, logLineOfPart } from "../s3/log_line.ts";
import type { LogTarget } from "../s3/logging.ts";
import type { BucketName } from "../s3/names.ts";
import type { BucketInfo } from "../store/buckets.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import type { AccessLogStats, LogLoss } from "../telemetry/metrics/access_log.ts";
import type { RequestRecord } from "../telemetry/request_record.ts";
import { monotonic, startTimer, stopTimer, type Timer, wallClock } from "../world/world.ts";
import { type LogBatch, type LogEntry, OpenBatches, sizeOfLine } from "./log_batch.ts";
import { LogDelivery } from "./log_delivery.ts";
import { LogSources } from "./log_sources.ts";

/** Limits of an access log. */
export type AccessLogLimits = {
  /** Bytes of memory for all lines that wait. */
  readonly memory: number;
  /** The part of the memory that lines for one target bucket may take. */
  readonly share: number;
  /** Bytes after which lines are stored at once. */
  readonly object: number;
  /** Milliseconds for which lines wait for others. */
  readonly delay: number;
  /** Milliseconds between two looks for lines to store. */
  readonly interval: number;
  /** Milliseconds after which lines are dropped that cannot be stored. */
  readonly patience: number;
  /** Milliseconds in which waiting lines are stored when the log ends. */
  readonly ending: number;
};

const LIMITS: AccessLogLimits = {
  memory: 32 * 1024 * 1024,
  share: 0.5,
  object: 4 * 1024 * 1024,
  delay: 4 * 60_000, // with a second attempt, within five minutes
  interval: 15_000,
  patience: 10 * 60_000,
  ending: 3000,
};

/** Milliseconds between two warnings that lines were dropped. */
const WARNING_INTERVAL = 60_000;

/** Settings of an access log. */
export type AccessLogOptions = {
  readonly store: Pick<Store, "readDocument" | "readBucket" | "putObject">;
  /** Returns the owner of a bucket, to be compared with that of another one; the recorded access key by default. */
  readonly ownerOf?: (bucket: BucketInfo) => string | undefined;
  /** The account and the region that keys of log objects name. */
  readonly account: string;
  readonly region: string;
  readonly checksum: ChecksumAlgorithm | undefined;
  readonly log: Pick<Log, "warn">;
  readonly limits?: Partial<AccessLogLimits>;
};

/** Collects and stores lines. Disposing it stores those that wait. */
export class AccessLog implements AsyncDisposable {
  readonly #limits: AccessLogLimits;
  readonly #log: Pick<Log, "warn">;
  readonly #sources: LogSources;
  readonly #delivery: LogDelivery;
  readonly #open = new OpenBatches();
  /** Bytes of memory of all lines, and of those for each target bucket. */
  #used = 0;
  readonly #usedFor = new Map<BucketName, number>();
  #delivered = 0;
  readonly #dropped: Record<LogLoss, number> = { memory: 0, undeliverable: 0, stopping: 0 };
  #unreported = 0;
  #warned = -Infinity;
  #timer: Timer | undefined;
  #isClosed = false;
  #isOver = false;

  constructor({ ownerOf = ({ owner }) => owner, ...options }: AccessLogOptions) {
    const { store, account, region, checksum, log, limits } = options;
    this.#limits = { ...LIMITS, ...limits };
    this.#log = log;
    this.#sources = new LogSources(store, log);
    this.#delivery = new LogDelivery({
      store,
      ownerOf,
      account,
      region,
      checksum,
      log,
      patience: this.#limits.patience,
      stored: (batch) => {
        this.#delivered += batch.lines.length;
        this.#release(batch);
      },
      lost: (batch) => {
        this.#release(batch);
        this.#drop(this.#isOver ? "stopping" : "undeliverable", batch.lines.length);
      },
    });
  }

  /** The numbers so far. */
  get stats(): AccessLogStats {
    return { waiting: this.#used, delivered: this.#delivered, dropped: this.#dropped };
  }

  /**
   * Logs a request that has ended. For a bucket that is not logged this is one look-up; when that is not known, the
   * lines wait until it is.
   */
  add(ended: EndedRequest): void {
    const { record: { bucket, code }, parts } = ended;
    if (bucket === undefined) return;
    // The code may be about the source of a copy.
    if (code === "NoSuchBucket" && !this.#sources.has(bucket)) return;
    const target = this.#sources.peek(bucket);
    if (target !== "no") this.#note(ended, bucket, target, (time) => [logLine(ended, time) ?? ""]);
    if (parts === undefined) return;
    const { bucket: other, list } = parts;
    const otherTarget = this.#sources.peek(other);
    if (otherTarget === "no") return;
    this.#note(ended, other, otherTarget, (time) => {
      return list().map((part) => logLineOfPart(ended, time, other, part));
    });
  }

  /** Stores the waiting lines, for some seconds, and drops the rest. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = startTimer(this.#limits.ending, resolve);
    });
    await Promise.race([late, this.#flush()]);
    stopTimer(timer);
    stopTimer(this.#timer);
    this.#isOver = true;
    this.#delivery.end();
    const left = this.#open.take(() => true);
    for (const batch of left) {
      this.#release(batch);
      this.#drop("stopping", batch.lines.length);
    }
    if (this.#unreported > 0) this.#warn("the gateway stops");
  }

  async #flush(): Promise<void> {
    await this.#sources.settled();
    this.#delivery.retry();
    this.#delivery.begin(this.#open.take(() => true));
    await this.#delivery.settled();
  }

  /** Adds lines to those that wait, as soon as it is known whether and where their bucket is logged. */
  #note(
    { record }: EndedRequest,
    bucket: string,
    known: LogTarget | "unknown",
    format: (time: Date) => readonly string[],
  ): void {
    const time = new Date(wallClock().getTime() - record.ended);
    const lines = format(time).filter((line) => line !== "");
    const size = lines.reduce((sum, line) => sum + sizeOfLine(line), 0);
    const source = bucket as BucketName; // the store has it
    if (known !== "unknown") return this.#append({ source, target: known, time }, lines, size);
    // They count from now on, or many requests could wait for an answer of JetStream.
    if (this.#used + size > this.#limits.memory) {
      return this.#dropIfLogged(record, source, lines.length);
    }
    this.#used += size;
    this.#sources.ask(source, record.user === undefined, (target, exists) => {
      this.#used -= size;
      if (target === undefined || !exists && record.code === "NoSuchBucket") return;
      this.#append({ source, target, time }, lines, size);
    });
  }

  /** Counts lines for which there is no room. It does not keep them. */
  #dropIfLogged({ user, code }: RequestRecord, source: BucketName, lines: number): void {
    this.#sources.ask(source, user === undefined, (target, exists) => {
      if (target === undefined || !exists && code === "NoSuchBucket") return;
      this.#drop("memory", lines);
    });
  }

  #append(entry: Omit<LogEntry, "line">, lines: readonly string[], size: number): void {
    const { bucket } = entry.target;
    const { memory, share, object } = this.#limits;
    const usedFor = (this.#usedFor.get(bucket) ?? 0) + size;
    if (this.#isOver) return this.#drop("stopping", lines.length);
    if (this.#used + size > memory || usedFor > memory * share) {
      return this.#drop("memory", lines.length);
    }
    this.#used += size;
    this.#usedFor.set(bucket, usedFor);
    const now = monotonic();
    let isFull = false;
    for (const line of lines) {
      isFull = this.#open.add({ ...entry, line }, now).size >= object || isFull;
    }
    if (isFull) this.#delivery.begin(this.#open.take((batch) => batch.size >= object));
    this.#schedule();
  }

  #release({ target: { bucket }, size }: LogBatch): void {
    this.#used -= size;
    const left = (this.#usedFor.get(bucket) ?? 0) - size;
    if (left > 0) this.#usedFor.set(bucket, left);
    else this.#usedFor.delete(bucket);
  }

  /** Looks for lines to store after a while, if any wait. */
  #schedule(): void {
    if (this.#isClosed || (this.#open.isEmpty && this.#delivery.isIdle)) return;
    this.#timer ??= startTimer(this.#limits.interval, () => {
      this.#timer = undefined;
      const due = monotonic() - this.#limits.delay;
      this.#delivery.retry();
      this.#delivery.begin(this.#open.take(({ since }) => since <= due));
      this.#schedule();
    });
  }

  #drop(reason: LogLoss, lines: number): void {
    this.#dropped[reason] += lines;
    this.#unreported += lines;
    const now = monotonic();
    if (now - this.#warned < WARNING_INTERVAL) return;
    this.#warned = now;
    this.#warn(reason);
  }

  #warn(reason: string): void {
    this.#log.warn("Lines of access logs were dropped", { lines: this.#unreported, reason });
    this.#unreported = 0;
  }
}
