/**
 * Turns of requests that cost much, such as lists. Each client works on some at a time, and its others wait in line, so its
 * lists do not keep the only thread busy for seconds. Responses that were not taken yet fill the memory. Only if all
 * clients together have many of them, each is held to some.
 * @module
 */

/** Requests that one client works on at the same time. */
const WORK = 8;
/** Turns of all clients, which end when the responses were taken. */
const ALL = 64;
/** Turns that each client may have even so. */
const EACH = 16;

/** A turn. Calls after the first change nothing. */
export type Turn = {
  /** Reports that the response begins: nothing is left but to deliver it. */
  readonly endWork: () => void;
  /** Reports that the response was taken, or will not be. */
  readonly end: () => void;
};

/** Called when a request has its turn, or with undefined if it will have none. */
type Tell = (turn: Turn | undefined) => void;

type Line = { working: number; turns: number; readonly waiting: Tell[] };

/** Gives turns to clients one after the other, and to the requests of each client in the order of their arrival. */
export class Turns {
  /** The clients that have turns or wait for one. The first one that waits has its turn next. */
  readonly #lines = new Map<string, Line>();
  #turns = 0;
  /** Requests at work, the client of the first of them, and whether there were others since. */
  #working = 0;
  #first: string | undefined;
  #areSeveral = false;

  /**
   * Begins the work of any request, which `leave` ends.
   *
   * @returns whether several clients have had requests at work since there was none. A client alone need not be told
   *   apart, which costs a request some microseconds.
   */
  enter(client: string | undefined): boolean {
    if (this.#working++ === 0) {
      this.#first = client;
      this.#areSeveral = false;
    }
    return this.#areSeveral ||= client !== this.#first;
  }

  /** Ends the work of a request. */
  leave(): void {
    this.#working--;
  }

  /** Takes a turn; resolves to undefined if there is none, because places in flight ran short while it waited. */
  take(client: string): Turn | Promise<Turn | undefined> {
    const line = this.#lines.get(client) ?? { working: 0, turns: 0, waiting: [] };
    this.#lines.set(client, line);
    if (line.waiting.length === 0 && this.#mayBegin(line)) return this.#begin(client, line);
    return new Promise((resolve) => line.waiting.push(resolve));
  }

  /**
   * Turns a request away that waits: the last one of the client that has most of them in line, among the clients for
   * which `accepts` is true.
   *
   * @returns whether there was one
   */
  turnAway(accepts: (client: string) => boolean): boolean {
    let longest: Line | undefined;
    for (const [client, line] of this.#lines) {
      if (line.waiting.length > (longest?.waiting.length ?? 0) && accepts(client)) longest = line;
    }
    longest?.waiting.pop()?.(undefined);
    return longest !== undefined;
  }

  #mayBegin({ working, turns }: Line): boolean {
    return working < WORK && (turns < EACH || this.#turns < ALL);
  }

  #begin(client: string, line: Line): Turn {
    line.working++;
    line.turns++;
    this.#turns++;
    let works = true;
    let isOver = false;
    const endWork = (): void => {
      if (!works) return;
      works = false;
      line.working--;
      this.#next();
    };
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      line.turns--;
      this.#turns--;
      endWork();
      this.#next();
      if (line.turns === 0 && line.waiting.length === 0) this.#lines.delete(client);
    };
    return { endWork, end };
  }

  /** Gives turns to requests that wait, as far as there are any. */
  #next(): void {
    for (const [client, line] of this.#lines) {
      if (line.waiting.length === 0 || !this.#mayBegin(line)) continue;
      line.waiting.shift()?.(this.#begin(client, line));
      this.#lines.delete(client);
      this.#lines.set(client, line); // where this loop comes to it again
    }
  }
}
