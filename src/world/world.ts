/**
 * Time, timers and randomness for the code that a simulation runs: `nats/`, `streams/` and `workers/` get them here and
 * nowhere else, which `tests/architecture_test.ts` checks. A simulation replaces all of them with {@linkcode enterWorld}.
 * @module
 */

/** A timer or a ticker that was started: the runtime's, or a simulation's number. */
export type Timer = ReturnType<typeof setTimeout> | number;

/** A source of time and randomness. */
export type World = {
  /** Returns milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Returns milliseconds since a fixed moment; never runs backwards. */
  readonly monotonic: () => number;
  readonly startTimer: (milliseconds: number, run: () => void) => Timer;
  readonly stopTimer: (timer: Timer | undefined) => void;
  readonly startTicker: (milliseconds: number, run: () => void) => Timer;
  readonly stopTicker: (timer: Timer | undefined) => void;
  readonly randomBytes: (length: number) => Uint8Array;
};

const REAL: World = {
  wallClock: () => Date.now(),
  monotonic: () => performance.now(),
  startTimer: (milliseconds, run) => setTimeout(run, milliseconds),
  stopTimer: (timer) => clearTimeout(timer),
  startTicker: (milliseconds, run) => setInterval(run, milliseconds),
  stopTicker: (timer) => clearInterval(timer),
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};

let world = REAL;

/** Replaces the world until the returned value is disposed. */
export function enterWorld(other: World): Disposable {
  const before = world;
  world = other;
  return {
    [Symbol.dispose]() {
      world = before;
    },
  };
}

/** Returns the time of day. */
export function wallClock(): Date {
  return new Date(world.wallClock());
}

/** Returns milliseconds since a fixed moment, for durations and deadlines. */
export function monotonic(): number {
  return world.monotonic();
}

/** Calls `run` once, after some milliseconds. */
export function startTimer(milliseconds: number, run: () => void): Timer {
  return world.startTimer(milliseconds, run);
}

/** Cancels a timer; one that has run, or none, is ignored. */
export function stopTimer(timer: Timer | undefined): void {
  world.stopTimer(timer);
}

/** Calls `run` repeatedly, at an interval in milliseconds. */
export function startTicker(milliseconds: number, run: () => void): Timer {
  return world.startTicker(milliseconds, run);
}

/** Ends a ticker; one that has ended, or none, is ignored. */
export function stopTicker(timer: Timer | undefined): void {
  world.stopTicker(timer);
}

/**
 * Waits for some milliseconds.
 *
 * @throws the signal's reason when it aborts first
 */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const abort = (): void => {
      stopTimer(timer);
      reject(signal?.reason);
    };
    const timer = startTimer(milliseconds, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Returns random bytes, fit for secrets. */
export function randomBytes(length: number): Uint8Array {
  return world.randomBytes(length);
}

/** Returns a random number of at least 0 and below 1. */
export function randomPlace(): number {
  const [number = 0] = new Uint32Array(randomBytes(4).slice().buffer);
  return number / 2 ** 32;
}

/**
 * Returns a unique id: 22 letters and digits, like NATS's nuids.
 *
 * @example Usage
 * ```ts
 * import { uniqueId } from "./world.ts";
 * import { match } from "node:assert/strict";
 *
 * match(uniqueId(), /^[0-9A-Za-z]{22}$/);
 * ```
 */
export function uniqueId(): string {
  let id = "";
  for (const byte of world.randomBytes(22)) id += DIGITS[byte % DIGITS.length];
  return id;
}

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
