/**
 * What a `StallWatch` is told about the streams that it watches, and what it keeps of them.
 * @module
 */

import { monotonic } from "../world/world.ts";

/** The client of a stream; undefined if nobody knows it. It may become known later. */
export type StreamOwner = {
  readonly client: string | undefined;
  /** Told by `StallWatch.tellStill` that the stream waits for its client. */
  readonly standsStill?: () => void;
};

/** Decides whether what was read may be used. */
export type SourceGate = { readonly confirm: () => Promise<void> | undefined };

/** Options of `StallWatch.watchSource`. */
export type SourceOptions = {
  /** Undefined for a stream that is never ended in favour of others. */
  readonly owner?: StreamOwner;
  /** Creates the error of a read that waited too long. */
  readonly stalled: () => Error;
  /** Called with the size of each piece, in bytes. */
  readonly received?: (bytes: number) => void;
  /** Asked at the end of the source: the last read waits for the promise, and fails as it does. */
  readonly gate?: SourceGate | undefined;
  /** Called when the source was read to its end, failed or was cancelled. It may be called more than once. */
  readonly ended?: () => void;
};

/** Options of `StallWatch.watchReader`. */
export type ReaderOptions<T = unknown> = {
  /** Undefined for a stream that is never ended in favour of others. */
  readonly owner?: StreamOwner;
  /** Called with each piece when the reader has finished with it, that is when it requests the next one. */
  readonly taken?: (piece: T) => void;
  /** Aborts when the reader has disconnected, even if the stream is not cancelled. */
  readonly signal: AbortSignal;
  /** Settles when the reader has all bytes, or cannot have them. By default the stream's end tells. */
  readonly completed?: Promise<unknown> | undefined;
  /**
   * Called once, when the stream is over: with `true` if it was broken off, or its last bytes were not taken in time, with
   * `false` if it was read to its end or cancelled.
   */
  readonly ended: (broken: boolean) => void;
};

/** A stream as the timer sees it. */
export type Watched = {
  readonly owner: StreamOwner | undefined;
  /** Tick at which it began to wait for the client; undefined while it waits for us. */
  since: number | undefined;
  /** The same moment in monotonic time, and earlier by what it waited before, if too little arrived since. */
  at: number;
  readonly stalled: () => void;
  readonly breakOff: (error: Error) => void;
};

/** Returns the streams with an owner that have waited for their clients for some milliseconds. */
export function stillOf(streams: Iterable<Watched>, age: number): readonly Watched[] {
  const latest = monotonic() - age;
  return Iterator.from(streams)
    .filter(({ owner, since, at }) => owner !== undefined && since !== undefined && at <= latest)
    .toArray();
}
