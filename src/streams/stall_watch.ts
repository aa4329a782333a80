/**
 * Ends streams that stand still because a client sends nothing, or takes nothing.
 *
 * One coarse timer serves all streams: it counts its own ticks and never looks at the clock, so that a process that
 * was stopped for a while does not take its clients for stalled. A read costs two assignments.
 * @module
 */

import type { ByteSource } from "./byte_source.ts";
import { startTicker, stopTicker, type Timer } from "../world/world.ts";

/** Ticks that make up the limit. */
const TICKS = 4;

/** What {@linkcode StallWatch.watchSource} takes. */
export type SourceOptions = {
  /** Makes the error of a read that waited too long. */
  readonly stalled: () => Error;
  /** Told of the bytes of each piece. */
  readonly received?: (bytes: number) => void;
  /** Called when it was read to its end, failed or was cancelled; perhaps more than once. */
  readonly ended?: () => void;
};

/** What {@linkcode StallWatch.watchReader} takes. */
export type ReaderOptions<T = unknown> = {
  /** Called with each piece when the reader is done with it: when it asks for the next one. */
  readonly taken?: (piece: T) => void;
  /** Aborts when the reader has gone, whether the stream hears of it or not. */
  readonly signal: AbortSignal;
  /**
   * Called once when the stream is over: `true` when it was broken off, `false` when it was read to its end or
   * cancelled.
   */
  readonly ended: (broken: boolean) => void;
};

/**
 * Watches streams; what it returns has one owner, who reads it to the end or cancels it.
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
export class StallWatch {
  readonly #period: number;
  readonly #watched = new Set<Watched>();
  #timer: Timer | undefined;
  #tick = 0;

  /** @param limit Milliseconds; a stream is ended when it stood still for as long, and up to a quarter as long again. */
  constructor(limit: number) {
    this.#period = limit / TICKS;
  }

  /** Streams that were ended because a client sent nothing, and because one took nothing. */
  readonly ended = { sources: 0, readers: 0 };

  /** A source whose read fails when it waits too long; the given one is cancelled then. */
  watchSource(
    source: ByteSource,
    { stalled, received, ended = () => {} }: SourceOptions,
  ): ByteSource {
    let fail: ((error: Error) => void) | undefined;
    let failed: Error | undefined;
    const stop = (error: Error): void => {
      this.#remove(watched);
      failed = error;
      fail?.(failed);
      source.cancel(failed).catch(() => {});
      ended();
    };
    const watched: Watched = {
      since: undefined,
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
        return new Promise((resolve, reject) => {
          fail = reject;
          const settle = (piece: Uint8Array | undefined): void => {
            watched.since = undefined;
            if (piece === undefined) {
              this.#remove(watched);
              ended();
            } else received?.(piece.length);
            resolve(piece);
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
   * A stream that errors when nobody reads it for too long, and closes when its reader has gone; its source is
   * cancelled then.
   */
  watchReader<T>(
    source: ReadableStream<T>,
    { signal, ended, taken }: ReaderOptions<T>,
  ): ReadableStream<T> {
    // The runtime prints it: where it was made says nothing.
    const stalled = (): Error =>
      Object.assign(new Error("Nobody took anything for too long"), { stack: "" });
    const reader = source.getReader();
    const watched: Watched = {
      since: undefined,
      stalled: () => {
        const error = stalled();
        this.ended.readers++;
        breakOff(error, () => controller.error(error));
      },
      breakOff: (error) => breakOff(error, () => controller.error(error)),
    };
    const waitForReader = (): void => void (watched.since = this.#tick);
    // No error, which the runtime would print: there is nobody to tell.
    const onAbort = (): void => breakOff(signal.reason, () => controller.close());
    let over = false;
    const end = (broken: boolean): void => {
      if (over) return;
      over = true;
      this.#remove(watched);
      signal.removeEventListener("abort", onAbort);
      ended(broken);
    };
    const cancel = (reason: unknown): Promise<void> => {
      // A source that fails while it is cancelled has nothing left to give up.
      return reader.cancel(reason).catch(() => {});
    };
    let controller: ReadableStreamDefaultController<T>;
    const breakOff = (reason: unknown, finish: () => void): void => {
      if (over) return;
      finish();
      cancel(reason);
      end(true);
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
          if (!done) {
            controller.enqueue(last = value);
            waitForReader();
            return;
          }
          end(false);
          controller.close();
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

  /** Ends all streams that are being read: sources fail with this error, readers see their stream break. */
  breakOff(error: Error): void {
    for (const watched of [...this.#watched]) watched.breakOff(error);
  }

  #add(watched: Watched): void {
    this.#watched.add(watched);
    this.#timer ??= startTicker(this.#period, () => this.#onTick());
  }

  #remove(watched: Watched): void {
    if (!this.#watched.delete(watched) || this.#watched.size > 0) return;
    stopTicker(this.#timer);
    this.#timer = undefined;
  }

  #onTick(): void {
    this.#tick++;
    for (const { since, stalled } of this.#watched) {
      // The tick under way when it began to wait does not count.
      if (since !== undefined && this.#tick - since > TICKS) stalled();
    }
  }
}

/** A stream in the eyes of the timer. */
type Watched = {
  /** Tick at which it began to wait for the other side; undefined while it waits for us. */
  since: number | undefined;
  readonly stalled: () => void;
  readonly breakOff: (error: Error) => void;
};
