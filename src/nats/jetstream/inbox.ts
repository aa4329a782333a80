/**
 * One inbox for the responses to all requests on a connection.
 *
 * The library's own request builds an error with its stack and a timer for every call. A map of waiters and one coarse
 * timer cost less than half of that.
 * @module
 */

import {
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  PermissionViolationError,
  type Subscription,
} from "@nats-io/nats-core";
import { monotonic, startTimer, stopTimer, type Timer, uniqueId } from "../../world/world.ts";
import { NoResponders, NotConnected, NotPermitted, NotSent, Unanswered } from "./errors.ts";
import { LastingSubscription } from "./lasting_subscription.ts";
import type { Listener, Listening } from "./listener.ts";
import { headerText, statusOf } from "./message_headers.ts";

/** Accepts a response. Returns true if it was the last one. */
export type TakeResponse = (message: Msg) => boolean;

type Waiter = {
  readonly subject: string;
  deadline: number;
  readonly timeout: number;
  readonly take: TakeResponse;
  readonly fail: (cause: Error) => void;
};

/** Milliseconds between two searches for waiters past their deadline. */
const TICK = 250;
/** Milliseconds for which a request waits for a lost connection to come back. */
const RECONNECT_TIMEOUT = 2000;

const encoder = new TextEncoder();
const EMPTY = new Uint8Array();

/** Sends requests over one NATS connection, which stays the caller's, and hands out their responses. */
export class Inbox implements Disposable {
  readonly #connection: NatsConnection;
  readonly #prefix: string;
  readonly #timeout: number;
  readonly #subscription: LastingSubscription;
  readonly #waiters = new Map<string, Waiter>();
  /** All listeners, each with the subject that it called last. */
  readonly #listeners = new Map<Listening, string>();
  #next = 0;
  #timer: Timer | undefined;
  #connected = true;
  #reconnected: PromiseWithResolvers<void> = Promise.withResolvers();

  /** @param timeout Milliseconds after which a request counts as unanswered. */
  constructor(connection: NatsConnection, prefix: string, timeout: number) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#timeout = timeout;
    this.#subscription = new LastingSubscription(connection, {
      subject: () => `${prefix}.${uniqueId()}.*`,
      message: (message) => this.#take(message),
      denied: (cause) => this.#failAll(cause.message),
    });
    this.#watch();
  }

  /** Waits for one response. Throws NoResponders, NotConnected, NotPermitted or Unanswered. */
  request(
    subject: string,
    data: Uint8Array,
    headers?: MsgHdrs,
    timeout = this.#timeout,
  ): Promise<Msg> {
    return new Promise((resolve, reject) => {
      const take = (message: Msg): boolean => {
        resolve(message);
        return true;
      };
      this.send(subject, data, headers, take, reject, timeout);
    });
  }

  /** Sends a request and calls `take` with each response, or `fail`. Every response extends the deadline. */
  send(
    subject: string,
    data: Uint8Array,
    headers: MsgHdrs | undefined,
    take: TakeResponse,
    fail: (cause: Error) => void,
    timeout = this.#timeout,
  ): void {
    if (!this.#connected || this.#connection.isClosed()) {
      const { length } = data;
      this.whenConnected().then(() => {
        if (data.length !== length) throw new NotSent(subject, "its data was freed");
        this.send(subject, data, headers, take, fail, timeout);
      }).catch(fail);
      return;
    }
    const inbox = this.#subscription.subject;
    if (!this.#subscription.isOpen) {
      fail(new NotPermitted(inbox, "subscribe to")); // no response would arrive
      return;
    }
    const token = (this.#next++).toString(36);
    const deadline = monotonic() + timeout;
    this.#waiters.set(token, { subject, deadline, timeout, take, fail });
    this.#timer ??= startTimer(TICK, this.#tick);
    try {
      const reply = inbox.slice(0, -1) + token;
      this.#connection.publish(subject, data, headers ? { reply, headers } : { reply });
    } catch (cause) {
      this.#waiters.delete(token);
      fail(new NotSent(subject, cause));
    }
  }

  /** Makes a separate inbox; no message arrives before it is opened. */
  listen(listening: Listening): Listener {
    const inbox = `${this.#prefix}.${uniqueId()}`;
    let subscription: Subscription | undefined;
    this.#listeners.set(listening, "");
    return {
      inbox,
      publish: (subject, body) => {
        if (!this.#connected || this.#connection.isClosed()) throw new NotConnected();
        const bytes = body === undefined ? EMPTY : encoder.encode(JSON.stringify(body));
        this.#listeners.set(listening, subject);
        this.#connection.publish(subject, bytes, { reply: inbox });
      },
      open: () => {
        subscription ??= this.#connection.subscribe(inbox, {
          callback: (error, message) => {
            if (error === null) listening.message(message);
            else listening.lost(new NotPermitted(inbox, "subscribe to"));
          },
        });
      },
      [Symbol.dispose]: () => {
        this.#listeners.delete(listening);
        subscription?.unsubscribe();
      },
    };
  }

  /** Waits a moment for a lost connection to come back. Throws NotConnected if it does not. */
  async whenConnected(): Promise<void> {
    if (this.#connected && !this.#connection.isClosed()) return;
    let timer: Timer | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = startTimer(RECONNECT_TIMEOUT, () => reject(new NotConnected()));
    });
    try {
      if (this.#connection.isClosed()) throw new NotConnected();
      await Promise.race([this.#reconnected.promise, timeout]);
    } finally {
      stopTimer(timer);
    }
  }

  /** Fails all waiters and leaves the connection open. */
  [Symbol.dispose](): void {
    this.#failAll("closed");
    this.#subscription[Symbol.dispose]();
  }

  #take(message: Msg): void {
    const token = message.subject.slice(this.#subscription.subject.length - 1);
    const waiter = this.#waiters.get(token);
    if (waiter === undefined) return; // a response after its deadline
    if (message.data.length === 0 && statusOf(headerText(message)) === 503) {
      this.#waiters.delete(token);
      waiter.fail(new NoResponders(waiter.subject));
    } else if (waiter.take(message)) {
      this.#waiters.delete(token);
    } else {
      waiter.deadline = monotonic() + waiter.timeout;
    }
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    const now = monotonic();
    for (const [token, waiter] of this.#waiters) {
      if (waiter.deadline > now) continue;
      this.#waiters.delete(token);
      waiter.fail(new Unanswered(waiter.subject, `${waiter.timeout} ms passed`));
    }
    if (this.#waiters.size > 0) this.#timer = startTimer(TICK, this.#tick);
  };

  #failAll(reason: string): void {
    stopTimer(this.#timer);
    this.#timer = undefined;
    const waiters = [...this.#waiters.values()];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.fail(new Unanswered(waiter.subject, reason));
    for (const [listening, subject] of [...this.#listeners]) {
      listening.lost(new Unanswered(subject, reason));
    }
  }

  #failSubject(subject: string): void {
    for (const [token, waiter] of this.#waiters) {
      if (waiter.subject !== subject) continue;
      this.#waiters.delete(token);
      waiter.fail(new NotPermitted(subject));
    }
    for (const [listening, called] of [...this.#listeners]) {
      if (called === subject) listening.lost(new NotPermitted(subject));
    }
  }

  /** Ends with the connection. */
  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      const { type } = status;
      if (type === "error") {
        const { error } = status;
        if (error instanceof PermissionViolationError && error.operation === "publish") {
          this.#failSubject(error.subject);
        }
      } else if (type === "disconnect") {
        this.#connected = false;
        this.#reconnected = Promise.withResolvers();
        this.#failAll("the connection was lost");
      } else if (type === "reconnect") {
        this.#connected = true;
        this.#reconnected.resolve();
        this.#subscription.retry();
      }
    }
  }
}
