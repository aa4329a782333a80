/**
 * The request layer of the hot path: publishes, direct gets and calls of the JetStream API.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-31.md (direct get)
 * and https://docs.nats.io/reference/reference-protocols/nats_api_reference
 * @module
 */

import type { Msg, NatsConnection } from "@nats-io/nats-core";
import { pause, uniqueId } from "../../world/world.ts";
import { type CallObserver, methodOf, observed } from "./call_observer.ts";
import { JetStreamCode, JetStreamError } from "./errors.ts";
import { Inbox, type Listener, type Listening } from "./inbox.ts";
import { headerText, statusOf } from "./message_headers.ts";
import {
  type BatchMessage,
  checked,
  type DirectMessage,
  directMessage,
  type LeaderMessage,
  leaderMessage,
  type MessageQuery,
  publishHeaders,
  type PublishOptions,
  type StoredMessage,
} from "./messages.ts";

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
    return await observed(
      this.#observe,
      "publish_batch",
      messages[0]?.subject ?? "",
      size,
      () => {
        return this.#publishBatch(messages);
      },
    );
  }

  async #publishBatch(messages: readonly BatchMessage[]): Promise<number> {
    const batch = uniqueId();
    for (const [i, { subject, data, ...options }] of messages.entries()) {
      const headers = publishHeaders(options);
      headers.set("Nats-Batch-Id", batch);
      headers.set("Nats-Batch-Sequence", `${i + 1}`);
      if (i < messages.length - 1) {
        await this.#inbox.whenConnected();
        this.#connection.publish(subject, encoder.encode(data), { headers });
        continue;
      }
      headers.set("Nats-Batch-Commit", "1");
      const reply = await this.#inbox.request(subject, encoder.encode(data), headers);
      return (checked(reply.json(), subject) as { readonly seq: number }).seq;
    }
    throw new RangeError("Cannot publish a batch without messages");
  }

  /**
   * Calls the JetStream API.
   *
   * @param method For example `STREAM.INFO.<stream>`.
   * @throws JetStreamError, NoResponders, NotConnected, NotPermitted, Unanswered
   */
  async call<T>(method: string, body?: unknown): Promise<T> {
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
            return checked((await this.#inbox.request(subject, bytes)).json(), subject) as T;
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

  /**
   * Gets a message from the replica or mirror that responds first; undefined if that one has none, which proves nothing.
   * @param timeout Milliseconds after which the call counts as unanswered, up to a quarter of a second later.
   */
  async directGet(
    stream: string,
    query: MessageQuery,
    timeout = this.#options.timeout,
  ): Promise<DirectMessage | undefined> {
    const prefix = `${this.#options.apiPrefix}.DIRECT.GET.${stream}`;
    const bySubject = "last_by_subj" in query;
    const subject = bySubject ? `${prefix}.${query.last_by_subj}` : prefix;
    const body = bySubject ? EMPTY : encoder.encode(JSON.stringify(query));
    return await observed(this.#observe, "direct_get", subject, body.length, async () => {
      return directMessage(await this.#inbox.request(subject, body, undefined, timeout), subject);
    }, (message) => message?.data.length ?? 0);
  }

  /** Gets a message from the stream's leader; undefined if there is none. */
  async leaderGet(stream: string, query: MessageQuery): Promise<StoredMessage | undefined> {
    try {
      const { message } = await this.call<{ readonly message: LeaderMessage }>(
        `STREAM.MSG.GET.${stream}`,
        query,
      );
      return leaderMessage(message);
    } catch (cause) {
      if (
        cause instanceof JetStreamError && cause.status === 404 &&
        cause.code === JetStreamCode.MessageNotFound
      ) {
        return undefined;
      }
      throw cause;
    }
  }

  /**
   * Gets the messages that match a subject, in the order of the stream. A short result does not mean the end: the server
   * also stops at its own limits. It is empty if a mirror responded, which may lack messages.
   *
   * @param query First sequence, subject (wildcards allowed), and limits of messages and bytes.
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
    return observed(
      this.#observe,
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
              if (message?.stream === stream) messages.push(message);
              return false;
            } catch (cause) {
              reject(cause);
              return true;
            }
          };
          this.#inbox.send(subject, body, undefined, take, reject);
        }),
      (found: readonly StoredMessage[]) => found.reduce((sum, { data }) => sum + data.length, 0),
    );
  }

  /** Makes a separate inbox; no message arrives before it is opened. */
  listen(listening: Listening): Listener {
    return this.#inbox.listen(listening);
  }

  /** Returns the subject of a method of the JetStream API. */
  subjectOf(method: string): string {
    return `${this.#options.apiPrefix}.${method}`;
  }

  /** Fails the calls under way and leaves the connection open. */
  [Symbol.dispose](): void {
    this.#inbox[Symbol.dispose]();
  }
}
