/**
 * Calls of the API for which nats-server may need long, because it counts or removes messages all over a stream.
 * @module
 */

/** Options of a call. */
export type CallOptions = {
  /** Bytes that the response may have if it is a long list; 0 by default. */
  readonly listBytes?: number;
  /** Whether to wait longer for the response. What the call changes must do no harm if it is lost all the same. */
  readonly isLong?: boolean;
};

/**
 * A long call may take so many times the time of others. nats-server took 11 s to count a million messages while it was
 * busy.
 */
export const LONG_CALL = 8;
