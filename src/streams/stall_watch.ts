/**
 * Ends streams that stand still because a client sends nothing, or takes nothing.
 *
 * One coarse timer serves all streams: it counts its own ticks and never looks at the clock, so that a process that
 * was stopped for a while does not take its clients for stalled. A read costs two assignments.
 * @module
 */

/** Ticks that make up the limit. */
const TICKS = 4;

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
 * const silent = stalls.watchSource(new ReadableStream(), () => new Error("Nothing came"));
 * await rejects(Array.fromAsync(silent), /Nothing came/);
 * ```
 */
export class StallWatch {
  readonly #period: number;
  readonly #watched = new Set<Watched>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #tick = 0;

  /** @param limit Milliseconds; a stream is ended when it stood still for as long, and up to a quarter as long again. */
  constructor(limit: number) {
    this.#period = limit / TICKS;
  }

  /** A stream that errors when a read of it waits too long; its source is cancelled then. */
  watchSource<T>(
    source: ReadableStream<T>,
    stalled: () => Error,
  ): ReadableStream<T> {
    return this.#watch(source, { waitsFor: "source", stalled, ended: () => {} });
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
    return this.#watch(source, {
      waitsFor: "reader",
      stalled,
      signal,
      ended,
      ...(taken !== undefined && { taken }),
    });
  }

  #watch<T>(source: ReadableStream<T>, about: About<T>): ReadableStream<T> {
    const reader = source.getReader();
    const { signal } = about;
    const watched: Watched = {
      since: undefined,
      stalled: () => {
        const error = about.stalled();
        breakOff(error, () => controller.error(error));
      },
    };
    const wait = (for_: About<T>["waitsFor"]): void => {
      watched.since = about.waitsFor === for_ ? this.#tick : undefined;
    };
    // No error, which the runtime would print: there is nobody to tell.
    const onAbort = (): void => breakOff(signal?.reason, () => controller.close());
    let over = false;
    const end = (broken: boolean): void => {
      if (over) return;
      over = true;
      this.#remove(watched);
      signal?.removeEventListener("abort", onAbort);
      about.ended(broken);
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
        wait("source");
        if (last !== undefined) about.taken?.(last);
        last = undefined;
        try {
          const { done, value } = await reader.read();
          if (over) return;
          if (!done) {
            controller.enqueue(last = value);
            return wait("reader");
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
    wait("reader");
    this.#add(watched);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
    return stream;
  }

  #add(watched: Watched): void {
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => this.#onTick(), this.#period);
  }

  #remove(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
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
};

type About<T> = {
  /** Who may not stand still. */
  readonly waitsFor: "source" | "reader";
  readonly stalled: () => Error;
  readonly signal?: AbortSignal;
  readonly taken?: (piece: T) => void;
  readonly ended: (broken: boolean) => void;
};
