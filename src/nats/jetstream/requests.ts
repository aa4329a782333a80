/**
 * The hot path's request layer: publishes, direct gets and JetStream API calls over one shared inbox.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-31.md (direct get)
 * and https://docs.nats.io/reference/reference-protocols/nats_api_reference
 *
 * The library's own request builds an error with its stack and a timer for every call; one inbox, a map of waiters and
 * one coarse timer cost less than half of that.
 * @module
 */

import {
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  PermissionViolationError,
  type Subscription,
} from "@nats-io/nats-core";
import {
  JetStreamCode,
  JetStreamError,
  NoResponders,
  NotConnected,
  NotPermitted,
  Unanswered,
} from "./errors.ts";
import { headerText, statusOf } from "./message_headers.ts";
import {
  type BatchMessage,
  checked,
  directMessage,
  type LeaderMessage,
  leaderMessage,
  type MessageQuery,
  publishHeaders,
  type PublishOptions,
  type StoredMessage,
} from "./messages.ts";
import {
  monotonic,
  pause,
  startTimer,
  stopTimer,
  type Timer,
  uniqueId,
} from "../../world/world.ts";

/** How requests are sent. */
export type RequestOptions = {
  /** `$JS.API`, or `$JS.<domain>.API`. */
  readonly apiPrefix: string;
  /** `_INBOX`, where the account's permissions allow no other. */
  readonly inboxPrefix: string;
  /** Milliseconds after which a request counts as unanswered. */
  readonly timeout: number;
  /** Told of each call when it begins; what it returns is told of its end. */
  readonly observe?: CallObserver | undefined;
};

/** A call of JetStream. */
export type JetStreamCall = {
  /** `publish`, `publish_batch`, `direct_get`, `direct_batch`, or a method of the API such as `STREAM.INFO`. */
  readonly method: string;
  readonly subject: string;
  /** Bytes that are sent. */
  readonly size: number;
};

/**
 * Returns at once and does not throw; nor does what it returns, which is told what the call threw, if anything, and how
 * many bytes of messages it read.
 */
export type CallObserver = (call: JetStreamCall) => (error: unknown, received: number) => void;

/** What a listener is told. */
export type Listening = {
  readonly message: (message: Msg) => void;
  /** Nothing more comes of what was called: the connection was lost, or a call is not permitted. */
  readonly lost: (cause: Error) => void;
};

/** An inbox of its own, for answers that come one by one for as long as they are wanted. */
export type Listener = Disposable & {
  readonly inbox: string;
  /** Takes what arrives from now on. */
  readonly open: () => void;
  /**
   * Publishes; answers are what the listener is told.
   *
   * @throws NotConnected
   */
  readonly publish: (subject: string, body?: unknown) => void;
  /** {@linkcode Listener.publish} to the JetStream API. */
  readonly call: (method: string, body?: unknown) => void;
};

type Waiter = {
  readonly subject: string;
  deadline: number;
  readonly timeout: number;
  /** Returns true when it waits for nothing more. */
  readonly take: (message: Msg) => boolean;
  readonly fail: (cause: Error) => void;
};

/** How often waiters are looked through for those past their deadline, in milliseconds. */
const TICK = 250;
/** How often, and after how many milliseconds again, JetStream is asked while it elects a leader. */
const ELECTION_ATTEMPTS = 6;
const ELECTION_PAUSE = 250;
/** How long a request waits for a lost connection to come back, in milliseconds. */
const RECONNECT_PATIENCE = 2000;

const encoder = new TextEncoder();
const EMPTY = new Uint8Array();

/** Requests over one NATS connection, which stays the caller's. */
export class Requests implements Disposable {
  readonly #connection: NatsConnection;
  readonly #options: RequestOptions;
  readonly #inbox: string;
  readonly #subscription: Subscription;
  readonly #waiters = new Map<string, Waiter>();
  /** Who listens, with the subject that each called last. */
  readonly #listeners = new Map<Listening, string>();
  #next = 0;
  #timer: Timer | undefined;
  #connected = true;
  #reconnected: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(connection: NatsConnection, options: RequestOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#inbox = `${options.inboxPrefix}.${uniqueId()}`;
    this.#subscription = connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#take(message);
        else this.#failAll(error.message);
      },
    });
    this.#watch();
  }

  /** Largest message that the server takes, in bytes. */
  get maxPayload(): number {
    return this.#connection.info?.max_payload ?? 1024 * 1024;
  }

  /**
   * Publishes a message into a stream.
   *
   * @returns its sequence
   * @throws JetStreamError, NoResponders, NotConnected where nothing was stored; Unanswered where that is not known
   */
  async publish(
    subject: string,
    data: Uint8Array | string,
    options?: PublishOptions,
  ): Promise<number> {
    const headers = options && publishHeaders(options);
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    return await this.#observed("publish", subject, bytes.length, async () => {
      const reply = await this.#request(subject, bytes, headers);
      return (checked(reply.json(), subject) as { readonly seq: number }).seq;
    });
  }

  /**
   * Publishes messages of one stream that are stored together or not at all.
   * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-50.md
   *
   * @returns the sequence of the last one
   * @throws as {@linkcode publish}
   */
  async publishBatch(messages: readonly BatchMessage[]): Promise<number> {
    const size = messages.reduce((sum, { data }) => sum + data.length, 0);
    return await this.#observed("publish_batch", messages[0]?.subject ?? "", size, () => {
      return this.#publishBatch(messages);
    });
  }

  async #publishBatch(messages: readonly BatchMessage[]): Promise<number> {
    const batch = uniqueId();
    for (const [i, { subject, data, ...options }] of messages.entries()) {
      const headers = publishHeaders(options);
      headers.set("Nats-Batch-Id", batch);
      headers.set("Nats-Batch-Sequence", `${i + 1}`);
      if (i < messages.length - 1) {
        await this.#whenConnected();
        this.#connection.publish(subject, encoder.encode(data), { headers });
        continue;
      }
      headers.set("Nats-Batch-Commit", "1");
      const reply = await this.#request(subject, encoder.encode(data), headers);
      return (checked(reply.json(), subject) as { readonly seq: number }).seq;
    }
    throw new RangeError("Cannot publish a batch without messages");
  }

  /**
   * Calls the JetStream API.
   *
   * @param method Such as `STREAM.INFO.OBJ_photos`.
   * @throws JetStreamError, NoResponders, NotConnected, Unanswered
   */
  async call<T>(method: string, body?: unknown): Promise<T> {
    const subject = `${this.#options.apiPrefix}.${method}`;
    const bytes = body === undefined ? EMPTY : encoder.encode(JSON.stringify(body));
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#observed(methodOf(method), subject, bytes.length, async () => {
          return checked((await this.#request(subject, bytes)).json(), subject) as T;
        });
      } catch (cause) {
        // Refused while a leader is elected: there is one soon.
        const elects = cause instanceof JetStreamError &&
          cause.code === JetStreamCode.TemporarilyUnavailable;
        if (!elects || attempt === ELECTION_ATTEMPTS) throw cause;
        await pause(ELECTION_PAUSE);
      }
    }
  }

  /**
   * Gets a message from whichever replica answers first; undefined where that has none.
   *
   * @param timeout Milliseconds after which it counts as unanswered, up to a quarter of a second later.
   */
  async directGet(
    stream: string,
    query: MessageQuery,
    timeout = this.#options.timeout,
  ): Promise<StoredMessage | undefined> {
    const prefix = `${this.#options.apiPrefix}.DIRECT.GET.${stream}`;
    const bySubject = "last_by_subj" in query;
    const subject = bySubject ? `${prefix}.${query.last_by_subj}` : prefix;
    const body = bySubject ? EMPTY : encoder.encode(JSON.stringify(query));
    return await this.#observed("direct_get", subject, body.length, async () => {
      return directMessage(await this.#request(subject, body, undefined, timeout), subject);
    }, (message) => message?.data.length ?? 0);
  }

  /** Gets a message from the stream's leader; undefined where there is none. */
  async leaderGet(stream: string, query: MessageQuery): Promise<StoredMessage | undefined> {
    try {
      const { message } = await this.call<{ readonly message: LeaderMessage }>(
        `STREAM.MSG.GET.${stream}`,
        query,
      );
      return leaderMessage(message);
    } catch (cause) {
      if (cause instanceof JetStreamError && cause.status === 404 && cause.code === 10037) {
        return undefined;
      }
      throw cause;
    }
  }

  /**
   * Gets the messages that match a subject, in the order of the stream. Fewer than asked for is not the end: the
   * server stops where its own limits lie.
   *
   * @param query First sequence, subject (wildcards allowed), most messages and most bytes.
   */
  directBatch(
    stream: string,
    query: {
      readonly seq: number;
      readonly next_by_subj: string;
      readonly batch: number;
      readonly max_bytes?: number;
    },
  ): Promise<readonly StoredMessage[]> {
    const subject = `${this.#options.apiPrefix}.DIRECT.GET.${stream}`;
    const messages: StoredMessage[] = [];
    const body = encoder.encode(JSON.stringify(query));
    return this.#observed(
      "direct_batch",
      subject,
      body.length,
      () =>
        new Promise((resolve, reject) => {
          const take = (reply: Msg): boolean => {
            const status = statusOf(headerText(reply));
            if (status === 204 || status === 404) {
              resolve(messages);
              return true;
            }
            try {
              const message = directMessage(reply, subject);
              if (message !== undefined) messages.push(message);
              return false;
            } catch (cause) {
              reject(cause);
              return true;
            }
          };
          this.#send(subject, body, undefined, take, reject);
        }),
      (found: readonly StoredMessage[]) => found.reduce((sum, { data }) => sum + data.length, 0),
    );
  }

  /** Makes an inbox; nothing arrives before it is opened. */
  listen(listening: Listening): Listener {
    const inbox = `${this.#options.inboxPrefix}.${uniqueId()}`;
    let subscription: Subscription | undefined;
    const publish = (subject: string, body?: unknown): void => {
      if (!this.#connected || this.#connection.isClosed()) throw new NotConnected();
      const bytes = body === undefined ? EMPTY : encoder.encode(JSON.stringify(body));
      this.#listeners.set(listening, subject);
      this.#connection.publish(subject, bytes, { reply: inbox });
    };
    this.#listeners.set(listening, "");
    return {
      inbox,
      publish,
      call: (method, body) => publish(`${this.#options.apiPrefix}.${method}`, body),
      open: () => {
        subscription ??= this.#connection.subscribe(inbox, {
          callback: (error, message) => {
            if (error === null) listening.message(message);
            else listening.lost(error);
          },
        });
      },
      [Symbol.dispose]: () => {
        this.#listeners.delete(listening);
        subscription?.unsubscribe();
      },
    };
  }

  /** Fails what still waits and leaves the connection open. */
  [Symbol.dispose](): void {
    this.#failAll("closed");
    this.#subscription.unsubscribe();
  }

  async #observed<T>(
    method: string,
    subject: string,
    size: number,
    work: () => Promise<T>,
    sizeOf: (result: T) => number = () => 0,
  ): Promise<T> {
    const { observe } = this.#options;
    if (observe === undefined) return await work();
    const end = observe({ method, subject, size });
    try {
      const result = await work();
      end(undefined, sizeOf(result));
      return result;
    } catch (cause) {
      end(cause, 0);
      throw cause;
    }
  }

  #request(
    subject: string,
    data: Uint8Array,
    headers?: MsgHdrs,
    timeout = this.#options.timeout,
  ): Promise<Msg> {
    return new Promise((resolve, reject) => {
      const take = (message: Msg): boolean => {
        resolve(message);
        return true;
      };
      this.#send(subject, data, headers, take, reject, timeout);
    });
  }

  #send(
    subject: string,
    data: Uint8Array,
    headers: MsgHdrs | undefined,
    take: Waiter["take"],
    fail: Waiter["fail"],
    timeout = this.#options.timeout,
  ): void {
    if (!this.#connected || this.#connection.isClosed()) {
      this.#whenConnected()
        .then(() => this.#send(subject, data, headers, take, fail, timeout), fail);
      return;
    }
    const token = (this.#next++).toString(36);
    const deadline = monotonic() + timeout;
    this.#waiters.set(token, { subject, deadline, timeout, take, fail });
    this.#timer ??= startTimer(TICK, this.#tick);
    try {
      const reply = `${this.#inbox}.${token}`;
      this.#connection.publish(subject, data, headers ? { reply, headers } : { reply });
    } catch (cause) {
      this.#waiters.delete(token);
      fail(cause instanceof Error ? cause : new Error(String(cause)));
    }
  }

  #take(message: Msg): void {
    const token = message.subject.slice(this.#inbox.length + 1);
    const waiter = this.#waiters.get(token);
    if (waiter === undefined) return; // an answer after its deadline
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

  async #whenConnected(): Promise<void> {
    if (this.#connected && !this.#connection.isClosed()) return;
    let timer: Timer | undefined;
    const patience = new Promise<never>((_, reject) => {
      timer = startTimer(RECONNECT_PATIENCE, () => reject(new NotConnected()));
    });
    try {
      if (this.#connection.isClosed()) throw new NotConnected();
      await Promise.race([this.#reconnected.promise, patience]);
    } finally {
      stopTimer(timer);
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
      }
    }
  }
}

/**
 * Returns a method of the API without the stream and the names that follow it: two words, or three that begin with
 * `STREAM.MSG` or `CONSUMER.MSG`.
 *
 * @example Usage
 * ```ts
 * import { methodOf } from "./requests.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(methodOf("CONSUMER.CREATE.EVENTS.name"), "CONSUMER.CREATE");
 * strictEqual(methodOf("STREAM.MSG.GET.EVENTS"), "STREAM.MSG.GET");
 * strictEqual(methodOf("INFO"), "INFO");
 * ```
 */
export function methodOf(method: string): string {
  const second = method.indexOf(".") + 1;
  const last = method.startsWith("MSG.", second) ? second + 4 : second;
  const end = second === 0 ? -1 : method.indexOf(".", last);
  return end < 0 ? method : method.slice(0, end);
}
