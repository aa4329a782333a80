/**
 * A world in which nobody waits for other gateways.
 * @module
 */

import { randomBytes } from "node:crypto";
import { enterWorld } from "../../src/world/world.ts";

/** How long a gateway waits until all others know the layout's new version, or a document that is in force everywhere. */
const FOR_OTHERS: ReadonlySet<number> = new Set([6000, 2000]);

/** A world that {@linkcode skipTime} entered. */
export type SkippedTime = Disposable & {
  /** Milliseconds by which monotonic time is ahead. */
  passed: number;
  /** Milliseconds of each wait for other gateways that began. */
  readonly waits: number[];
};

/**
 * Lets every wait for other gateways end at once, until the returned value is disposed.
 *
 * @param options.jump Monotonic time jumps by what is not waited, as if it had passed; otherwise it goes on as it was
 */
export function skipTime({ jump = false }: { readonly jump?: boolean } = {}): SkippedTime {
  const waits: number[] = [];
  const skipped = { passed: 0, waits };
  const world = enterWorld({
    wallClock: () => Date.now(),
    monotonic: () => performance.now() + skipped.passed,
    startTimer(milliseconds, run) {
      if (!FOR_OTHERS.has(milliseconds)) return setTimeout(run, milliseconds);
      waits.push(milliseconds);
      return setTimeout(() => {
        if (jump) skipped.passed += milliseconds;
        run();
      });
    },
    stopTimer: (timer) => clearTimeout(timer),
    startTicker: (milliseconds, run) => setInterval(run, milliseconds),
    stopTicker: (timer) => clearInterval(timer),
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
  });
  return Object.assign(skipped, { [Symbol.dispose]: () => world[Symbol.dispose]() });
}
