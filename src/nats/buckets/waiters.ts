/**
 * Callers that wait until a feed has applied a sequence.
 * @module
 */

import { startTimer, stopTimer } from "../../world/world.ts";

/** How far a feed came. */
export type Reached =
  /** Everything that was acknowledged before the call is applied. */
  | "all"
  /** It took too long. */
  | "late"
  /** The stream has lost messages, or an older state of it was restored. The feed followed another history. */
  | "restored";

/** The sequence that must be applied; undefined for everything that the stream holds. */
export type Target = number | undefined;

type Waiter = {
  readonly target: Target;
  readonly resolve: (reached: Reached) => void;
  readonly reject: (cause: unknown) => void;
};

/** Callers that wait, each for its target. */
export class Waiters {
  readonly #waiters = new Set<Waiter>();

  /** Whether nobody waits. */
  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  /** Waits for a target, or until some milliseconds have passed. */
  add(target: Target, milliseconds: number): Promise<Reached> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        stopTimer(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        target,
        resolve(reached) {
          end();
          resolve(reached);
        },
        reject(cause) {
          end();
          reject(cause);
        },
      };
      const timer = startTimer(milliseconds, () => waiter.resolve("late"));
      this.#waiters.add(waiter);
    });
  }

  /** Lets those go whose target is reached. */
  settle(isReached: (target: Target) => boolean): void {
    for (const waiter of this.#waiters) {
      if (isReached(waiter.target)) waiter.resolve("all");
    }
  }

  /** Lets all go. */
  end(reached: Reached): void {
    for (const waiter of this.#waiters) waiter.resolve(reached);
  }

  /** Fails all. */
  fail(cause: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(cause);
  }
}
