/**
 * The world of one gateway: its clock, its timers and its randomness.
 * @module
 */

import type { Timer, World } from "../../src/world/world.ts";
import type { Random } from "./random.ts";
import type { Home, Scheduled, Scheduler } from "./scheduler.ts";

/** The time of day at which simulations begin, in milliseconds since 1970. */
export const EPOCH = Date.UTC(2026, 0, 1);

/** The home of a gateway. */
export class GatewayHome implements Home {
  readonly name: string;
  readonly world: World;
  isDead = false;
  pausedUntil = 0;
  /** Milliseconds by which its clock is wrong. */
  skew: number;
  readonly #scheduler: Scheduler;
  readonly #timers = new Map<number, Scheduled>();
  #nextTimer = 1;

  constructor(name: string, scheduler: Scheduler, random: Random, skew: number) {
    this.name = name;
    this.skew = skew;
    this.#scheduler = scheduler;
    const start = scheduler.now;
    const stop = (timer: Timer | undefined): void => {
      if (typeof timer !== "number") return;
      scheduler.cancel(this.#timers.get(timer));
      this.#timers.delete(timer);
    };
    this.world = {
      wallClock: () => Math.floor(EPOCH + scheduler.now + this.skew),
      monotonic: () => scheduler.now - start,
      startTimer: (milliseconds, run) => this.#start(milliseconds, run),
      stopTimer: stop,
      startTicker: (milliseconds, run) => this.#tick(milliseconds, run),
      stopTicker: stop,
      randomBytes: (length) => random.bytes(length),
    };
  }

  /** The number of its timers and tickers. */
  get timers(): number {
    return this.#timers.size;
  }

  #start(milliseconds: number, run: () => void): number {
    const id = this.#nextTimer++;
    const event = this.#scheduler.after(milliseconds, this, () => {
      this.#timers.delete(id);
      run();
    });
    this.#timers.set(id, event);
    return id;
  }

  #tick(milliseconds: number, run: () => void): number {
    const id = this.#nextTimer++;
    const again = (): void => {
      this.#timers.set(id, this.#scheduler.after(milliseconds, this, tick));
    };
    const tick = (): void => {
      again();
      run();
    };
    again();
    return id;
  }
}

const nobody = (): never => {
  throw new TypeError("Code of a gateway runs outside of its events");
};

/** A world without time, for what belongs to no gateway. */
export const NOWHERE: World = {
  wallClock: nobody,
  monotonic: nobody,
  startTimer: nobody,
  stopTimer: nobody,
  startTicker: nobody,
  stopTicker: nobody,
  randomBytes: nobody,
};
