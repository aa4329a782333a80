/**
 * A subscription that comes back after NATS denied it.
 *
 * The library forgets a subscription that the server refuses, also one that a reload of the server's configuration takes
 * away for a moment.
 * @module
 */

import type { Msg, NatsConnection, Subscription } from "@nats-io/nats-core";
import { startTimer, stopTimer, type Timer } from "../../world/world.ts";

/** Callbacks of a {@linkcode LastingSubscription}. */
export type Lasting = {
  /** Returns the subject of the next attempt. */
  readonly subject: () => string;
  readonly message: (message: Msg) => void;
  /** NATS denied the subscription. No message arrives until it is open again. */
  readonly denied: (cause: Error) => void;
};

/** Milliseconds before the next attempt: the first, doubled each time, and the longest. */
const FIRST_PAUSE = 500;
const LAST_PAUSE = 5000;

/** A subscription on a connection, which stays the caller's, until it is disposed. */
export class LastingSubscription implements Disposable {
  readonly #connection: NatsConnection;
  readonly #lasting: Lasting;
  #subject = "";
  #subscription: Subscription | undefined;
  #isOpen = true;
  #isOver = false;
  #pause = FIRST_PAUSE;
  #timer: Timer | undefined;

  /** Subscribes. The subscription counts as open until the server denies it. */
  constructor(connection: NatsConnection, lasting: Lasting) {
    this.#connection = connection;
    this.#lasting = lasting;
    this.#subscribe();
  }

  /** The subject of the last attempt. */
  get subject(): string {
    return this.#subject;
  }

  /** Whether messages arrive: the server has not denied the subscription. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Tries again at once if the subscription is denied. */
  async retry(): Promise<void> {
    if (this.#isOpen || this.#isOver) return;
    stopTimer(this.#timer);
    this.#subscription?.unsubscribe();
    const subscription = this.#subscribe();
    try {
      // A refusal arrives before the response to this.
      await this.#connection.flush();
    } catch {
      return; // not connected: there will be a reconnection, or no connection any more
    }
    if (this.#subscription !== subscription) return;
    this.#isOpen = true;
    this.#pause = FIRST_PAUSE;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    stopTimer(this.#timer);
    this.#subscription?.unsubscribe();
  }

  #subscribe(): Subscription {
    this.#subject = this.#lasting.subject();
    const subscription = this.#connection.subscribe(this.#subject, {
      callback: (error, message) => {
        if (error === null) this.#lasting.message(message);
        else if (this.#subscription === subscription) this.#deny(error);
      },
    });
    this.#subscription = subscription;
    return subscription;
  }

  #deny(cause: Error): void {
    this.#subscription = undefined;
    this.#isOpen = false;
    this.#timer = startTimer(this.#pause, () => this.retry());
    this.#pause = Math.min(this.#pause * 2, LAST_PAUSE);
    this.#lasting.denied(cause);
  }
}
