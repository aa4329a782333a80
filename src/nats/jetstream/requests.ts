/**
 * The request layer of the hot path: publishes, direct gets and calls of the JetStream API.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-31.md (direct get)
 * and https://docs.nats.io/reference/reference-protocols/nats_api_reference
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import { pause } from "../../world/world.ts";
import { sendBatch } from "./atomic_batch.ts";
import { type CallObserver, methodOf, observed } from "./call_observer.ts";
import { isMissing, JetStreamCode, JetStreamError } from "./errors.ts";
import { Inbox } from "./inbox.ts";
import type { Listener, Listening } from "./listener.ts";
import { type CallOptions, callPatiently } from "./long_calls.ts";
import {
  type BatchMessage,
  type BatchQuery,
  checked,
  collectBatch,
  type DirectMessage,
  directMessage,
  type GetOptions,
  type LeaderMessage,
  leaderMessage,
  type MessageQuery,
  publishHeaders,
  type PublishOptions,
  type StoredMessage,
} from "./messages.ts";
import { LIST_BUDGET, MESSAGE_BUDGET, ReplyBudget } from "./reply_budget.ts";

/** Settings of {@linkcode Requests}. */
export type RequestOptions = {
  /** `$JS.API`, or `$JS.<domain>.API`. */
  readonly apiPrefix: string;
  /** `_INBOX`, unless the account's permissions demand another one. */
  readonly inboxPrefix: string;
  /** Milliseconds after which a request counts as unanswered. */
  readonly timeout: number;
  /** Called when a call begins; the function that it returns is called at the end. */
  readonly observe?: CallObserver | undefined;
};

const NO_OPTIONS: GetOptions = {};
/** A leader returns a message's data as Base64. */
const BASE64_GROWTH = 4 / 3;

/** Attempts at a call while JetStream elects a leader, and milliseconds between them. */
const ELECTION_ATTEMPTS = 6;
const ELECTION_PAUSE = 250;

const encoder = new TextEncoder();
const EMPTY = new Uint8Array();

/** Requests over one NATS connection, which stays the caller's. */
export class Requests implements Disposable {
  readonly #connection: NatsConnection;
  readonly #options: RequestOptions;
  readonly #observe: CallObserver | undefined;
  readonly #inbox: Inbox;
  readonly #messages = new ReplyBudget(MESSAGE_BUDGET);
  readonly #lists = new ReplyBudget(LIST_BUDGET);

  constructor(connection: NatsConnection, options: RequestOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#observe = options.observe;
    this.#inbox = new Inbox(connection, options.inboxPrefix, options.timeout);
  }

  /** Largest message that the server accepts, in bytes. */
  get maxPayload(): number {
    return this.#connection.info?.max_payload ?? 1024 * 1024;
  }

  /**
   * Publishes a message into a stream.
   *
   * @returns the sequence of the message
   * @throws JetStreamError, NoResponders, NotConnected or NotPermitted if nothing was stored; Unanswered if that is
   *   unknown
   */
  async publish(
    subject: string,
    data: Uint8Array | string,
    options?: PublishOptions,
  ): Promise<number> {
    const headers = options && publishHeaders(options);
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    return await observed(this.#observe, "publish", subject, bytes.length, async () => {
      const reply = await this.#inbox.request(subject, bytes, headers);
      return (checked(reply.json(), subject) as { readonly seq: number }).seq;
    });
  }

  /**
   * Publishes messages that one stream stores together or not at all.
   * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-50.md
   *
   * @returns the sequence of the last message
   * @throws as {@linkcode publish} does
   */
  async publishBatch(messages: readonly BatchMessage[]): Promise<number> {
    const size = messages.reduce((sum, { data }) => sum + data.length, 0);
    const subject = messages[0]?.subject ?? "";
    return await observed(this.#observe, "publish_batch", subject, size, () => {
      return sendBatch(this.#connection, this.#inbox, messages);
    });
  }

  /**
   * Calls the JetStream API.
   *
   * @param method For example `STREAM.INFO.<stream>`.
   * @throws JetStreamError, NoResponders, NotConnected, NotPermitted, Unanswered
   */
  call<T>(method: string, body?: unknown, options?: CallOptions): Promise<T> {
    return options === undefined
      ? this.#call<T>(method, body)
      : this.#callWith<T>(method, body, options);
  }

  async #callWith<T>(method: string, body: unknown, options: CallOptions): Promise<T> {
    const { listBytes = 0, isLong = false } = options;
    const { timeout } = this.#options;
    if (listBytes > 0) await this.#lists.take(listBytes, method, timeout);
    try {
      const call = (timeout: number): Promise<T> => this.#call<T>(method, body, timeout);
      return await (isLong ? callPatiently(call, timeout) : call(timeout));
    } finally {
      if (listBytes > 0) this.#lists.give(listBytes);
    }
  }

  async #call<T>(method: string, body: unknown, timeout?: number): Promise<T> {
    const subject = this.subjectOf(method);
    const bytes = body === undefined ? EMPTY : encoder.encode(JSON.stringify(body));
    for (let attempt = 1;; attempt++) {
      try {
        return await observed(
          this.#observe,
          methodOf(method),
          subject,
          bytes.length,
          async () => {
            const reply = await this.#inbox.request(subject, bytes, undefined, timeout);
            return checked(reply.json(), subject) as T;
          },
        );
      } catch (cause) {
        // JetStream refuses calls while it elects a leader, which does not take long.
        const elects = cause instanceof JetStreamError &&
          cause.code === JetStreamCode.TemporarilyUnavailable;
        if (!elects || attempt === ELECTION_ATTEMPTS) throw cause;
        await pause(ELECTION_PAUSE);
      }
    }
  }

  /** Gets a message from the replica or mirror that responds first; undefined if that one has none, which proves nothing. */
  async directGet(
    stream: string,
    query: MessageQuery,
    { timeout = this.#options.timeout, isBudgeted = false }: GetOptions = NO_OPTIONS,
  ): Promise<DirectMessage | undefined> {
    const prefix = `${this.#options.apiPrefix}.DIRECT.GET.${stream}`;
    const bySubject = "last_by_subj" in query;
    const subject = bySubject ? `${prefix}.${query.last_by_subj}` : prefix;
    const body = bySubject ? EMPTY : encoder.encode(JSON.stringify(query));
    const held = isBudgeted ? 0 : this.#messages.expected;
    const waiting = this.#messages.take(held, subject, timeout);
    if (waiting !== undefined) await waiting;
    try {
      return await observed(this.#observe, "direct_get", subject, body.length, async () => {
        const reply = await this.#inbox.request(subject, body, undefined, timeout);
        this.#messages.note(reply.data.length);
        return directMessage(reply, subject);
      }, (message) => message?.data.length ?? 0);
    } finally {
      this.#messages.give(held);
    }
  }

  /** Gets a message from the stream's leader; undefined if there is none. */
  async leaderGet(
    stream: string,
    query: MessageQuery,
    { isBudgeted = false }: GetOptions = NO_OPTIONS,
  ): Promise<LeaderMessage | undefined> {
    const method = `STREAM.MSG.GET.${stream}`;
    const held = isBudgeted ? 0 : Math.ceil(this.#messages.expected * BASE64_GROWTH);
    const waiting = this.#messages.take(held, method, this.#options.timeout);
    if (waiting !== undefined) await waiting;
    try {
      const found = leaderMessage(await this.#call(method, query));
      this.#messages.note(found.data.length);
      return found;
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw cause;
    } finally {
      this.#messages.give(held);
    }
  }

  /**
   * Gets the messages that match a subject, in the order of the stream. A short result does not mean the end: the server
   * also stops at its own limits. It is empty if a mirror responded, which may lack messages.
   */
  directBatch(stream: string, query: BatchQuery): Promise<readonly StoredMessage[]> {
    const subject = `${this.#options.apiPrefix}.DIRECT.GET.${stream}`;
    const body = encoder.encode(JSON.stringify(query));
    return observed(
      this.#observe,
      "direct_batch",
      subject,
      body.length,
      () =>
        new Promise((resolve, reject) => {
          this.#inbox.send(
            subject,
            body,
            undefined,
            collectBatch(stream, subject, resolve, reject),
            reject,
          );
        }),
      (found: readonly StoredMessage[]) => found.reduce((sum, { data }) => sum + data.length, 0),
    );
  }

  /** Makes a separate inbox; no message arrives before it is opened. */
  listen(listening: Listening): Listener {
    return this.#inbox.listen(listening);
  }

  /** Returns the subject of a method. */
  subjectOf(method: string): string {
    return `${this.#options.apiPrefix}.${method}`;
  }

  /** Fails the calls under way and leaves the connection open. */
  [Symbol.dispose](): void {
    this.#inbox[Symbol.dispose]();
  }
}
