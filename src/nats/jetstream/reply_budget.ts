/**
 * Bytes of responses whose size is unknown before they arrive. They count against the one connection that all requests
 * share: nats-server cuts a connection for which more than 64 MiB wait, for everybody on it.
 *
 * Chunks, batches and pages, whose size is known, have a budget of their own (`nats/buckets/context.ts`). All budgets
 * together stay below 64 MiB.
 * @module
 */

import { ByteBudget } from "../../streams/byte_budget.ts";
import { startTimer, stopTimer } from "../../world/world.ts";
import { Unanswered } from "./errors.ts";

/** Bytes of single messages, such as object info, that one connection may have requested. */
export const MESSAGE_BUDGET = 20 * 1024 * 1024;
/** Bytes of lists of subjects or streams that one connection may have requested. */
export const LIST_BUDGET = 15 * 1024 * 1024;
/** Bytes that a list of 256 streams, and one of 100,000 subjects, may have: nats-server lists no more at once. */
export const LIST_BYTES = { streams: 1024 * 1024, subjects: 12 * 1024 * 1024 } as const;
/** Bytes that a message counts until a larger one has been seen. By default nats-server accepts no larger one. */
const EXPECTED = 1024 * 1024;

/** A budget of responses. Requests wait in line for a limited time. */
export class ReplyBudget {
  readonly #budget: ByteBudget;
  #largest = EXPECTED;

  /** @param size Bytes that may be requested at the same time. */
  constructor(size: number) {
    this.#budget = new ByteBudget(size);
  }

  /** Bytes that a message of unknown size may have. */
  get expected(): number {
    return this.#largest;
  }

  /** Notes the size of a message that arrived. */
  note(bytes: number): void {
    if (bytes > this.#largest) this.#largest = bytes;
  }

  /**
   * Takes bytes for a request, which the caller must give back.
   *
   * @param timeout Milliseconds after which the request fails as unanswered. It was not sent.
   * @returns undefined if the bytes were free; otherwise a promise that resolves when they are taken
   */
  take(bytes: number, subject: string, timeout: number): Promise<void> | undefined {
    if (bytes === 0) return undefined;
    const taken = this.#budget.take(bytes);
    return taken && this.#inTime(taken, bytes, subject, timeout);
  }

  /** Gives back the bytes of one `take`. */
  give(bytes: number): void {
    if (bytes > 0) this.#budget.give(bytes);
  }

  #inTime(taken: Promise<void>, bytes: number, subject: string, timeout: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer = startTimer(timeout, () => {
        isLate = true;
        reject(new Unanswered(subject, `${timeout} ms passed while earlier requests waited`));
      });
      taken.then(() => {
        if (isLate) {
          this.#budget.give(bytes);
          return;
        }
        stopTimer(timer);
        resolve();
      });
    });
  }
}
