/**
 * The pace of background work: it leaves most of the time to clients.
 *
 * Work that takes longer because the servers are busy is followed by longer pauses.
 * @module
 */

import { monotonic, pause } from "../world/world.ts";

/** Shortest pause in milliseconds. */
const MIN_PAUSE = 20;

/** How fast work is done. */
export type PaceOptions = {
  /** Share of the time in which work runs; 1 is full speed. */
  readonly share: number;
  /** Maximum number of requests per second. */
  readonly rate: number;
  /** Ends pauses and refuses turns. */
  readonly signal: AbortSignal;
};

/** Runs pieces of work at a pace. */
export class Pace {
  readonly #options: PaceOptions;
  #owed = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /**
   * Runs work when its turn comes. Throws the signal's reason when it has aborted.
   *
   * @param count The number of requests that the work makes at a time.
   */
  readonly turn = async <T>(work: () => Promise<T>, count = 1): Promise<T> => {
    const { share, rate, signal } = this.#options;
    signal.throwIfAborted();
    if (this.#owed >= MIN_PAUSE) {
      const owed = this.#owed;
      this.#owed = 0;
      await pause(owed, signal);
    }
    const began = monotonic();
    try {
      return await work();
    } finally {
      const took = monotonic() - began;
      this.#owed += Math.max(took * (1 / share - 1), 1000 * count / rate - took, 0);
    }
  };
}
