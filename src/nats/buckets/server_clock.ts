/**
 * The time of nats-server, which counts for times of modification, retention and expiry: the clock of a gateway may be wrong.
 *
 * Each response about a stream states the time. Between two of them the gateway's own clock only measures what has passed.
 * @module
 */

import { monotonic, wallClock } from "../../world/world.ts";

/** The time of nats-server, as far as it is known. */
export class ServerClock {
  /** Milliseconds since 1970 at the moment zero of monotonic time. */
  #zero: number | undefined;

  /**
   * Notes what time it was when a response was sent.
   *
   * @param time As JetStream writes it.
   */
  note(time: string): void {
    const milliseconds = Date.parse(time);
    if (!Number.isNaN(milliseconds)) this.#zero = milliseconds - monotonic();
  }

  /** Returns the time; that of the gateway until nats-server has told its own. */
  now(): Date {
    return this.#zero === undefined ? wallClock() : new Date(this.#zero + monotonic());
  }
}
