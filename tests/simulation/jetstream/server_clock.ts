/**
 * The server's clock.
 * @module
 */

/** The server's clock. */
export type ServerClock = {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Runs something later and returns a function that cancels it. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
};
