/**
 * Slows a source of bytes down, so that background work leaves most of the time to clients.
 * @module
 */

import type { ByteSource } from "../../streams/byte_source.ts";
import { monotonic, pause } from "../../world/world.ts";

/** Shortest pause in milliseconds. */
const MIN_PAUSE = 20;

/** How fast a source is read. */
export type ThrottleOptions = {
  /** Share of the time in which bytes move; 1 is full speed. */
  readonly share: number;
  /** Ends a pause early. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of bytes that each read returned. */
  readonly moved: (bytes: number) => void;
};

/** Passes a source on and pauses between reads, so that bytes move in a share of the time only. */
export function throttled(
  source: ByteSource,
  { share, signal, moved }: ThrottleOptions,
): ByteSource {
  let resumed = monotonic();
  let owed = 0;
  return {
    async read() {
      owed += (monotonic() - resumed) * (1 / share - 1);
      if (owed >= MIN_PAUSE) {
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
