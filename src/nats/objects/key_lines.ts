/**
 * Lines of writers: the writes of one key on this gateway commit one after the other once they get in each other's way.
 *
 * A commit is refused if another write was faster, and reads the key again. If a crowd does so at the same time, one of
 * them succeeds in each round, and all the others have worked in vain.
 * @module
 */

import { ByteBudget } from "../../streams/byte_budget.ts";
import { startTimer, stopTimer, type Timer } from "../../world/world.ts";

/** Milliseconds after which nobody waits for a commit any more: JetStream may be down. */
const PATIENCE = 1000;

/** The writers of one subject. */
export type Line = {
  readonly subject: string;
  /** One place, for which the writers of each client have their turn after those of another one. */
  readonly place: ByteBudget;
  /** Writers that wait, and the one that has its turn. */
  writers: number;
  /** Runs during a turn. */
  timer: Timer | undefined;
};

/**
 * Gives turns to the writers of each subject, and keeps nothing of other subjects.
 *
 * @example Usage
 * ```ts
 * import { KeyLines } from "./key_lines.ts";
 *
 * const lines = new KeyLines();
 * const line = await lines.join("subject");
 * lines.leave(line);
 * ```
 */
export class KeyLines {
  readonly #lines = new Map<string, Line>();

  /** Whether there is no line. */
  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  /** Returns whether writers of a subject are in line. */
  has(subject: string): boolean {
    return this.#lines.has(subject);
  }

  /**
   * Waits for a turn, which ends when the caller leaves the line. If a turn takes longer than a second, the line ends, and
   * all who wait in it go at once.
   */
  async join(subject: string): Promise<Line> {
    const line = this.#lines.get(subject) ??
      { subject, place: new ByteBudget(1), writers: 0, timer: undefined };
    this.#lines.set(subject, line);
    line.writers++;
    await line.place.take(1);
    if (this.#isOpen(line)) line.timer = startTimer(PATIENCE, () => this.#end(line));
    return line;
  }

  /** Ends the caller's turn. Each writer leaves once. */
  leave(line: Line): void {
    stopTimer(line.timer);
    if (--line.writers === 0 && this.#isOpen(line)) this.#lines.delete(line.subject);
    line.place.give(1);
  }

  #isOpen(line: Line): boolean {
    return this.#lines.get(line.subject) === line;
  }

  #end(line: Line): void {
    this.#lines.delete(line.subject);
    for (let waiting = line.writers - 1; waiting > 0; waiting--) line.place.give(1);
  }
}
