/**
 * A watch that ends stalled streams: those whose client sends nothing or reads nothing.
 *
 * One coarse timer serves all streams. It counts its own ticks and never reads the clock, so a process that was paused
 * for a while does not regard its clients as stalled. A read costs two assignments.
 * @module
 */

import { monotonic, startTicker, stopTicker, type Timer } from "../world/world.ts";
import type { ByteSource } from "./byte_source.ts";
import type { ReaderOptions, SourceOptions, Watched } from "./watched_streams.ts";
import { stillOf } from "./watched_streams.ts";

/** Number of ticks in the limit. */
const TICKS = 4;
/** Bytes with which a source makes progress. Until they have arrived, it waits on, although it does not stall. */
const PROGRESS = 16 * 1024;

/**
 * Watches streams. Each watched stream has one owner, which reads it to its end or cancels it.
 *
 * @example Usage
 * ```ts
 * import { StallWatch } from "./stall_watch.ts";
 * import { rejects } from "node:assert/strict";
 *
 * const stalls = new StallWatch(100);
 * const nothing = { read: () => new Promise<undefined>(() => {}), cancel: () => Promise.resolve() };
 * const silent = stalls.watchSource(nothing, { stalled: () => new Error("Nothing came") });
 * await rejects(silent.read(), /Nothing came/);
 * ```
 */
export class StallWatch implements Disposable {
  readonly #period: number;
  readonly #isLasting: boolean;
  readonly #watched = new Set<Watched>();
  #timer: Timer | undefined;
  #tick = 0;

  /**
   * @param limit Milliseconds. A stream ends after it has stalled for this time, or for up to a quarter longer.
   * @param isLasting Keeps the ticker until the watch is disposed. To start one for each small body costs 3 % of its PUT.
   */
  constructor(limit: number, { isLasting = false } = {}) {
    this.#period = limit / TICKS;
    this.#isLasting = isLasting;
  }

  /** Counts of ended streams: sources whose client sent nothing, and streams whose reader read nothing. */
  readonly ended = { sources: 0, readers: 0 };

  /** Returns a source whose read fails if it waits too long. It then cancels the given source. */
  watchSource(
    source: ByteSource,
    { stalled, received, gate, ended = () => {}, owner }: SourceOptions,
  ): ByteSource {
    let fail: ((error: Error) => void) | undefined;
    let failed: Error | undefined;
    // Since the source last made progress: the bytes that arrived, and the milliseconds for which it was waited for.
    let [bytes, waited] = [0, 0];
    const stop = (error: Error): void => {
      this.#remove(watched);
      failed = error;
      fail?.(failed);
      source.cancel(failed).catch(() => {});
      ended();
    };
    const watched: Watched = {
      owner,
      since: undefined,
      at: 0,
      stalled: () => {
        this.ended.sources++;
        stop(stalled());
      },
      breakOff: stop,
    };
    return {
      read: () => {
        if (failed !== undefined) return Promise.reject(failed);
        this.#add(watched);
        watched.since = this.#tick;
        watched.at = monotonic() - waited;
        return new Promise((resolve, reject) => {
          fail = reject;
          const settle = (piece: Uint8Array | undefined): void => {
            watched.since = undefined;
            if (piece === undefined) {
              this.#remove(watched);
              ended();
            } else {
              bytes += piece.length;
              waited = bytes < PROGRESS ? monotonic() - watched.at : 0;
              if (bytes >= PROGRESS) bytes = 0;
              received?.(piece.length);
            }
            const wait = piece === undefined ? gate?.confirm() : undefined;
            resolve(wait === undefined ? piece : wait.then(() => piece));
          };
          source.read().then(settle, (cause) => {
            this.#remove(watched);
            ended();
            reject(cause);
          });
        });
      },
      cancel: (reason) => {
        this.#remove(watched);
        ended();
        return source.cancel(reason);
      },
    };
  }

  /**
   * Returns a stream that errors if it is not read for too long, and closes when its reader disconnects. In both cases
   * it cancels the given stream.
   */
  watchReader<T>(
    source: ReadableStream<T>,
    { signal, completed, ended, taken, owner }: ReaderOptions<T>,
  ): ReadableStream<T> {
    // The runtime prints this error, and its stack would tell nothing.
    const stalled = (): Error =>
      Object.assign(new Error("The client read nothing for too long"), { stack: "" });
    const reader = source.getReader();
    const watched: Watched = {
      owner,
      since: undefined,
      at: 0,
      stalled: () => {
        this.ended.readers++;
        watched.breakOff(stalled());
      },
      breakOff: (error) => breakOff(error, () => controller.error(error)),
    };
    const waitForReader = (): void => {
      watched.since = this.#tick;
      watched.at = monotonic();
    };
    // Close without an error: the runtime would print it, and no client would see it.
    const onAbort = (): void => breakOff(signal.reason, () => controller.close());
    let over = false;
    const end = (broken: boolean): void => {
      if (over) return;
      over = true;
      this.#remove(watched);
      signal.removeEventListener("abort", onAbort);
      ended(broken);
    };
    // A source that fails while it is being cancelled has ended anyway.
    const cancel = (reason: unknown): Promise<void> => reader.cancel(reason).catch(() => {});
    let controller: ReadableStreamDefaultController<T>;
    const breakOff = (reason: unknown, finish: () => void): void => {
      if (over) return;
      // A closed stream cannot be broken off: its last bytes are the runtime's.
      if (!isClosed) {
        finish();
        cancel(reason);
      }
      end(true);
    };
    let isClosed = false;
    const close = (): void => {
      isClosed = true;
      controller.close();
      if (completed === undefined) return end(false);
      waitForReader();
      completed.then(() => end(false), () => end(true));
    };

    let last: T | undefined;
    const stream = new ReadableStream<T>({
      start: (its) => void (controller = its),
      async pull(): Promise<void> {
        watched.since = undefined;
        if (last !== undefined) taken?.(last);
        last = undefined;
        try {
          const { done, value } = await reader.read();
          if (over) return;
          if (done) return close();
          controller.enqueue(last = value);
          waitForReader();
        } catch (cause) {
          end(true);
          throw cause;
        }
      },
      cancel(reason): Promise<void> {
        end(false);
        return cancel(reason);
      },
    }, { highWaterMark: 0 });
    waitForReader();
    this.#add(watched);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    return stream;
  }

  /**
   * Ends the stream that has waited longest for its client, among those that have waited for `age` milliseconds. A client
   * that sends a few bytes now and then is waited for all the time.
   *
   * @returns whether there was one
   */
  endStillest(age: number, accepts: (client: string | undefined) => boolean): boolean {
    let stillest: Watched | undefined;
    for (const one of stillOf(this.#watched, age)) {
      if (one.at <= (stillest?.at ?? Infinity) && accepts(one.owner?.client)) stillest = one;
    }
    stillest?.stalled();
    return stillest !== undefined;
  }

  /** Tells the owners of streams that have waited for their clients for some milliseconds. */
  tellStill(age: number): void {
    for (const { owner } of stillOf(this.#watched, age)) owner?.standsStill?.();
  }

  /** Ends the ticker, and with it the watch over all streams. */
  [Symbol.dispose](): void {
    stopTicker(this.#timer);
    this.#timer = undefined;
  }

  /** Ends all streams that are being read. Their sources fail with this error, and their readers see them break. */
  breakOff(error: Error): void {
    for (const watched of [...this.#watched]) watched.breakOff(error);
  }

  #add(watched: Watched): void {
    this.#watched.add(watched);
    this.#timer ??= startTicker(this.#period, () => this.#onTick());
  }

  #remove(watched: Watched): void {
    if (!this.#watched.delete(watched) || this.#watched.size > 0 || this.#isLasting) return;
    this[Symbol.dispose]();
  }

  #onTick(): void {
    this.#tick++;
    for (const { since, stalled } of this.#watched) {
      // The tick in which the stream began to wait does not count.
      if (since !== undefined && this.#tick - since > TICKS) stalled();
    }
  }
}
