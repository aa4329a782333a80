/**
 * Repeats work until it is told to stop.
 * @module
 */

import { pause } from "../world/world.ts";

/**
 * Runs work, waits, and runs it again until the signal aborts. Errors of the work go to `onError`.
 *
 * @param interval Milliseconds between the end of one run and the beginning of the next.
 */
export async function every(
  interval: number,
  signal: AbortSignal,
  work: () => Promise<void>,
  onError: (cause: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (cause) {
      if (!signal.aborted) onError(cause);
    }
    await pause(interval, signal).catch(() => {});
  }
}
