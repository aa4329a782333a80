/**
 * Which buckets are logged, and where to: known without waiting for as long as a request may use what was read before.
 * @module
 */

import { isS3Error } from "../s3/errors.ts";
import { type LogTarget, parseLogging } from "../s3/logging.ts";
import type { BucketName } from "../s3/names.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { monotonic } from "../world/world.ts";

/** Milliseconds for which the configuration of a bucket is used. The store keeps documents for a second already. */
const LEASE = 250;
/** Milliseconds after which a request has it read again, so that those of a busy bucket never wait for it. */
const RENEWAL = 50;
/** Number of buckets whose configurations are kept. */
const MAX_BUCKETS = 10_000;
/** Number of buckets of which nothing is known yet that are read at a time for strangers, who may invent names. */
const MAX_FOR_STRANGERS = 32;

/**
 * Receives the target of a bucket's log; undefined if the bucket is not logged. If there is no bucket, it is the target of
 * the one that was there last.
 */
export type Tell = (target: LogTarget | undefined, exists: boolean) => void;

type Source = {
  /** The document from which the target was parsed. */
  text: string | undefined;
  target: LogTarget | undefined;
  /** When it was current, in monotonic time. */
  at: number;
  /** The callers that wait for a reading; undefined if there is none. */
  waiting: Tell[] | undefined;
};

/** Reads and keeps the logging configurations of buckets. */
export class LogSources {
  readonly #store: Pick<Store, "readDocument">;
  readonly #log: Pick<Log, "warn">;
  readonly #known = new Map<string, Source>();
  readonly #readings = new Set<Promise<void>>();
  #forStrangers = 0;

  constructor(store: Pick<Store, "readDocument">, log: Pick<Log, "warn">) {
    this.#store = store;
    this.#log = log;
  }

  /** Returns whether the configuration of a bucket was read lately, so that the bucket existed. */
  has(bucket: string): boolean {
    return this.#known.has(bucket);
  }

  /** Returns where a bucket is logged; `no` if it is not, and `unknown` if it must be asked for. */
  peek(bucket: string): LogTarget | "no" | "unknown" {
    const known = this.#known.get(bucket);
    if (known === undefined) return "unknown";
    const age = monotonic() - known.at;
    if (age >= LEASE) return "unknown";
    if (age >= RENEWAL && known.waiting === undefined) this.#begin(bucket as BucketName, known, []);
    return known.target ?? "no";
  }

  /**
   * Reads where a bucket is logged. It tells that a bucket is not logged if that cannot be read and nothing was known.
   *
   * @param isStranger The caller could not be authenticated.
   */
  ask(bucket: BucketName, isStranger: boolean, tell: Tell): void {
    let source = this.#known.get(bucket);
    const isNew = source === undefined;
    const counts = isNew && isStranger;
    if (counts && this.#forStrangers >= MAX_FOR_STRANGERS) return tell(undefined, true);
    if (source === undefined) {
      source = { text: undefined, target: undefined, at: -Infinity, waiting: undefined };
      for (const oldest of this.#known.keys()) {
        if (this.#known.size < MAX_BUCKETS) break;
        this.#known.delete(oldest);
      }
      this.#known.set(bucket, source);
    }
    if (source.waiting !== undefined) {
      source.waiting.push(tell);
      return;
    }
    if (counts) this.#forStrangers++;
    this.#begin(bucket, source, [tell], () => {
      if (counts) this.#forStrangers--;
    });
  }

  /** Resolves when nobody waits for a reading that has begun. */
  async settled(): Promise<void> {
    await Promise.all(this.#readings);
  }

  #begin(bucket: BucketName, source: Source, waiting: Tell[], ended = (): void => {}): void {
    source.waiting = waiting;
    const reading = this.#read(bucket, source).finally(() => {
      ended();
      this.#readings.delete(reading);
    });
    this.#readings.add(reading);
  }

  async #read(bucket: BucketName, source: Source): Promise<void> {
    const at = monotonic();
    let exists = true;
    try {
      const text = await this.#store.readDocument(bucket, "logging");
      if (text !== source.text) {
        source.text = text;
        source.target = text === undefined ? undefined : this.#parse(bucket, text);
      }
    } catch (cause) {
      exists = !isS3Error(cause, "NoSuchBucket");
      if (!exists) this.#known.delete(bucket);
      // Otherwise it stays as it was: the configuration does not change because JetStream does not respond.
    }
    source.at = at;
    const waiting = source.waiting ?? [];
    source.waiting = undefined;
    for (const tell of waiting) tell(source.target, exists);
  }

  #parse(bucket: BucketName, text: string): LogTarget | undefined {
    try {
      return parseLogging(text);
    } catch (cause) { // somebody else wrote it
      this.#log.warn("A bucket is not logged: its configuration is not valid", { bucket, cause });
      return undefined;
    }
  }
}
