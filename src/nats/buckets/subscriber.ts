/**
 * What a part of the gateway that follows a bucket gives to the bucket's follower.
 * @module
 */

import type { Delivery } from "../jetstream/messages.ts";
import type { Mark } from "./history.ts";
import type { StreamReading } from "./streams.ts";

/** The state with which a subscriber begins. */
export type Beginning = {
  /** Last sequence that the state includes; 0 for none. */
  readonly sequence: number;
  /** A message that the stream holds only if its history is the one that led to the state. */
  readonly mark?: Mark | undefined;
};

/** A part of the gateway that follows a bucket. */
export type Subscriber = {
  /**
   * Returns the subjects to follow, exact or ending in `>`; those of two subscribers are equal or do not overlap. The
   * leader is asked about those that end in `>` if no barrier can be published.
   */
  readonly filters: (stream: StreamReading) => readonly string[];
  /**
   * Forgets everything and begins with an empty or a saved state.
   *
   * @param usesSaved Whether a saved state may be used.
   */
  readonly begin: (stream: StreamReading, usesSaved: boolean) => Promise<Beginning>;
  /** Called once with each later message of its subjects, in the order of the stream. */
  readonly apply: (stream: StreamReading, delivery: Delivery) => void;
  /** Applies changes that come without a message. Returns false if it is cheaper to begin again. */
  readonly complete: (stream: StreamReading) => Promise<boolean>;
};
