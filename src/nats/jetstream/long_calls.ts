/**
 * Calls of the API for which nats-server may need long, because it counts or removes messages all over a stream.
 * @module
 */

import { startTimer, stopTimer, type Timer } from "../../world/world.ts";
import { Unanswered } from "./errors.ts";

/** Options of a call. */
export type CallOptions = {
  /** Bytes that the response may have if it is a long list; 0 by default. */
  readonly listBytes?: number;
  /** Whether to wait longer for the response, see {@linkcode callPatiently}. */
  readonly isLong?: boolean;
};

/**
 * A long call may take so many times the time of others. nats-server took 11 s to count a million messages while it was
 * busy.
 */
const LONG_CALL = 8;

/**
 * Makes a call that may take long. A server that is silent may be at work, or may have died with the call. So the call is
 * made again each time the usual time has passed, and the first response to any of them counts. A call that is made twice
 * must do no harm, nor one whose response is lost all the same.
 *
 * @param call Makes the call, and gives it up after so many milliseconds.
 * @param timeout The usual milliseconds for a response.
 * @throws what the first response says; Unanswered if there is none
 */
export async function callPatiently<T>(
  call: (timeout: number) => Promise<T>,
  timeout: number,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let [left, pending] = [LONG_CALL, 0];
  let timer: Timer | undefined;
  const make = (): void => {
    pending++;
    call(timeout * left--).then(resolve, (cause) => {
      // None is left if the connection is lost, or the time is over.
      if (--pending === 0 || !(cause instanceof Unanswered)) reject(cause);
    });
    timer = left > 0 ? startTimer(timeout, make) : undefined;
  };
  make();
  try {
    return await promise;
  } finally {
    if (timer !== undefined) stopTimer(timer);
  }
}
