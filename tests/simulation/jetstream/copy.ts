/**
 * A copy of a stream's messages on one server, and the consumers there. It may be behind the leader's.
 * @module
 */

import type { Consumer } from "./consumer.ts";
import type { MessageStore, StoreChange, Stored } from "./message_store.ts";
import type { ServerClock } from "./server_clock.ts";

type Late = { readonly at: number; readonly change: StoreChange };

const NONE: readonly Stored[] = [];

/** Hears of the changes of a copy. */
export type Hearer = Pick<Consumer, "changed" | "deliverNew">;

/** A copy of a stream's messages, and the consumers that read it. */
export class Copy {
  store: MessageStore;
  readonly consumers = new Set<Hearer>();
  /** Milliseconds by which it is behind. */
  lag = 0;
  readonly #clock: ServerClock;
  /** Changes to come, in their order. */
  #late: Late[] = [];

  constructor(clock: ServerClock, store: MessageStore) {
    this.#clock = clock;
    this.store = store;
  }

  /** Makes a change, later if it is behind. Returns the messages that it removed already. */
  change(change: StoreChange): readonly Stored[] {
    if (this.lag === 0 && this.#late.length === 0) return this.#apply(change);
    // In the order of the leader, also if the lag has become shorter.
    const at = Math.max(this.#late.at(-1)?.at ?? 0, this.#clock.now() + this.lag);
    this.#late.push({ at, change });
    if (this.#late.length === 1) this.#wait();
    return NONE;
  }

  /** Lets its consumers deliver, after changes that belong together. */
  deliver(): void {
    for (const consumer of this.consumers) consumer.deliverNew();
  }

  /** Makes all changes that are due. */
  catchUp(): void {
    const now = this.#clock.now();
    const due = this.#late.findIndex(({ at }) => at > now);
    for (const { change } of this.#late.splice(0, due < 0 ? this.#late.length : due)) {
      this.#apply(change);
    }
    this.deliver();
  }

  #wait(): void {
    const [first] = this.#late;
    if (first === undefined) return;
    this.#clock.after(Math.max(0, first.at - this.#clock.now()), () => {
      this.catchUp();
      this.#wait();
    });
  }

  #apply(change: StoreChange): readonly Stored[] {
    const removed = this.store.apply(change);
    for (const consumer of this.consumers) consumer.changed(change, removed);
    return removed;
  }
}
