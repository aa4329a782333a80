/**
 * The scheduler: simulated time, and the events of everybody in their order.
 *
 * An event runs in the world of its home, with all microtasks that follow from it, before the next one begins. So the code of a
 * gateway never sees the clock of another, and no thread and no real time is in it.
 * @module
 */

import { nextTick } from "node:process";
import { enterWorld, type World } from "../../src/world/world.ts";

/** Where events run: a gateway, the server, or the clients. */
export type Home = {
  readonly name: string;
  /** Undefined if the code there has no promises and asks for no time: it runs without a pause for microtasks. */
  readonly world: World | undefined;
  /** Its events do not run any more. */
  isDead: boolean;
  /** Simulated time until which its events wait; 0 if it runs. */
  pausedUntil: number;
};

/** An event that has not happened. */
export type Scheduled = {
  at: number;
  readonly order: number;
  readonly home: Home;
  /** Undefined once it was cancelled. */
  run: (() => void) | undefined;
};

/** The least time between two events of which the second must not come first. */
export const MOMENT = 1e-6;

/** Events between two turns of the runtime's event loop, which runs nothing of a simulation. */
const EVENTS_PER_TURN = 1000;

/**
 * Waits until all microtasks have run. A tick that microtasks ask for comes once none is left, without a turn of the event
 * loop, which costs more than most events.
 */
const runMicrotasks = (): Promise<void> => new Promise((resolve) => nextTick(resolve));

/** Lets the event loop of the runtime turn once. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Runs events in the order of simulated time, which is in milliseconds and begins at 0. */
export class Scheduler {
  readonly #heap: Scheduled[] = [];
  #now = 0;
  #steps = 0;
  #order = 0;
  #moment = 0;

  /** The simulated time. */
  get now(): number {
    return this.#now;
  }

  /** The number of events that have happened. */
  get steps(): number {
    return this.#steps;
  }

  /** Returns a number that is larger each time, for histories: it tells moments of one event apart. */
  readonly moment = (): number => ++this.#moment;

  /** Runs something in some milliseconds. */
  after(milliseconds: number, home: Home, run: () => void): Scheduled {
    return this.at(this.#now + Math.max(0, milliseconds), home, run);
  }

  /** Runs something at a time. */
  at(at: number, home: Home, run: () => void): Scheduled {
    const event = { at, order: this.#order++, home, run };
    this.#push(event);
    return event;
  }

  /** Takes an event back. */
  cancel(event: Scheduled | undefined): void {
    if (event !== undefined) event.run = undefined;
  }

  /** Counts the events that wait in a home. */
  waiting(home: Home): number {
    return this.#heap.filter((event) => event.home === home && event.run !== undefined).length;
  }

  /**
   * Runs events until a condition holds, or nothing is left.
   *
   * @param isOver Asked before each event.
   */
  async run(isOver: () => boolean): Promise<void> {
    await turn(); // a test begins in the middle of a turn, and its microtasks would not run
    using stay = new Stay();
    while (!isOver()) {
      const event = this.#pop();
      if (event === undefined) return;
      const { home, run } = event;
      if (run === undefined || home.isDead) continue;
      if (home.pausedUntil > event.at) {
        // All that waits keeps its order and comes late at once.
        event.at = home.pausedUntil;
        this.#push(event);
        continue;
      }
      this.#now = Math.max(this.#now, event.at);
      this.#steps++;
      event.run = undefined;
      if (home.world === undefined) {
        run();
        continue;
      }
      stay.in(home.world);
      run();
      if (this.#steps % EVENTS_PER_TURN === 0) {
        await turn();
      } else await runMicrotasks();
    }
  }

  #push(event: Scheduled): void {
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Scheduled;
      if (isBefore(above, event)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): Scheduled | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || last === first) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const [left, right] = [heap[child] as Scheduled, heap[child + 1]];
      let least = left;
      if (right !== undefined && isBefore(right, left)) {
        least = right;
        child++;
      }
      if (isBefore(last, least)) break;
      heap[index] = least;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

/** The world in which events run: most run in that of the one before. */
class Stay {
  #world: World | undefined;
  #entered: Disposable | undefined;

  in(world: World): void {
    if (world === this.#world) return;
    this.#entered?.[Symbol.dispose]();
    this.#entered = enterWorld(world);
    this.#world = world;
  }

  [Symbol.dispose](): void {
    this.#entered?.[Symbol.dispose]();
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
