/**
 * The messages that JetStream stores and returns: headers of a publish, stored messages, errors.
 * @module
 */

import { headers as createHeaders, type Msg, type MsgHdrs } from "@nats-io/nats-core";
import { JetStreamError } from "./errors.ts";
import { descriptionOf, headerText, serverHeader, statusOf } from "./message_headers.ts";

/** Conditions and options of a publish. */
export type PublishOptions = {
  /** Sequence of the subject's last message, 0 for none. JetStream refuses the publish if it is another: a conflict. */
  readonly expect?: number;
  /** Another subject whose last message `expect` is about. */
  readonly expectOf?: string;
  /** Sequence of the stream's last message, 0 for none. In a batch, only the first message has it. */
  readonly expectLast?: number;
  /** The message says that the key of a key-value store has no value. */
  readonly isRemoval?: boolean;
  /** Removes the subject's earlier messages. */
  readonly rollup?: boolean;
  /** Lifetime of the message, as Go writes durations. */
  readonly ttl?: string;
  /** The stream acknowledges a second message of this id without storing it, as long as it remembers the first. */
  readonly id?: string;
};

/** A message of a batch. */
export type BatchMessage = PublishOptions & { readonly subject: string; readonly data: string };

/** A message of a stream. */
export type StoredMessage = {
  readonly subject: string;
  readonly sequence: number;
  readonly time: Date;
  readonly data: Uint8Array;
};

/** A message in the response to a direct get. */
export type DirectMessage = StoredMessage & {
  /** The stream that responded: the one that was asked, or a mirror of it. */
  readonly stream: string;
};

/** A message as a stream's leader returns it. */
export type LeaderMessage = StoredMessage & {
  /** The time when JetStream stored it, see {@linkcode stampOf}. */
  readonly stamp: string;
};

/** A message as a consumer delivers it. */
export type Delivery = {
  readonly subject: string;
  readonly sequence: number;
  /** The time when JetStream stored it, in milliseconds since 1970. */
  readonly time: number;
  /** The same time, see {@linkcode stampOf}. */
  readonly stamp: string;
  /** Valid until the callback returns. */
  readonly data: Uint8Array;
  /** Returns the headers, one line each after a status line; "" if the message has none. */
  readonly headers: () => string;
};

/** Selects a message of a stream. */
export type MessageQuery =
  | { readonly seq: number }
  | { readonly last_by_subj: string }
  | { readonly seq: number; readonly next_by_subj: string };

/**
 * Selects messages of a stream: first sequence and subject (wildcards allowed), or subjects of which only the last message
 * counts; and limits of messages and bytes.
 */
export type BatchQuery =
  & (
    | { readonly seq: number; readonly next_by_subj: string }
    | { readonly multi_last: readonly string[] }
  )
  & { readonly batch: number; readonly max_bytes?: number };

/** Options of a get. */
export type GetOptions = {
  /** Milliseconds after which a direct get counts as unanswered, up to a quarter of a second later. */
  readonly timeout?: number;
  /** The caller has taken the bytes of the response from a budget. */
  readonly isBudgeted?: boolean;
};

const EXPECTED_SUBJECT = "Nats-Expected-Last-Subject-Sequence-Subject";
const decoder = new TextDecoder();
const DOT = ".".charCodeAt(0);

/** Returns the headers of a publish. */
export function publishHeaders(
  { expect, expectOf, expectLast, isRemoval, rollup, ttl, id }: PublishOptions,
): MsgHdrs {
  const headers = createHeaders();
  if (expect !== undefined) headers.set("Nats-Expected-Last-Subject-Sequence", expect.toString());
  if (expectOf !== undefined) headers.set(EXPECTED_SUBJECT, expectOf);
  if (expectLast !== undefined) headers.set("Nats-Expected-Last-Sequence", expectLast.toString());
  if (isRemoval === true) headers.set("KV-Operation", "DEL");
  if (rollup === true) headers.set("Nats-Rollup", "sub");
  if (ttl !== undefined) headers.set("Nats-TTL", ttl);
  if (id !== undefined) headers.set("Nats-Msg-Id", id);
  return headers;
}

/** The response of a stream's leader to a request for a message. */
export type LeaderResponse = {
  readonly message: {
    readonly subject: string;
    readonly seq: number;
    readonly time: string;
    readonly data?: string;
  };
};

/**
 * Returns a response of JetStream.
 *
 * @throws the JetStreamError that the response states
 */
export function checked(response: unknown, subject: string): unknown {
  const { error } = response as {
    readonly error?: {
      readonly code?: number;
      readonly err_code?: number;
      readonly description?: string;
    };
  };
  if (error !== undefined) {
    const { code = 500, err_code = 0, description = "no reason given" } = error;
    throw new JetStreamError(err_code, code, description, subject);
  }
  return response;
}

/** Returns the message in the response to a direct get; undefined if there is none. */
export function directMessage(reply: Msg, subject: string): DirectMessage | undefined {
  const headers = headerText(reply);
  if (headers === "") throw new TypeError(`Cannot read the response of "${subject}"`);
  const status = statusOf(headers);
  if (status === 404) return undefined;
  if (status >= 400) throw new JetStreamError(0, status, descriptionOf(headers), subject);
  return {
    stream: serverHeader(headers, "Nats-Stream"),
    subject: serverHeader(headers, "Nats-Subject"),
    sequence: Number(serverHeader(headers, "Nats-Sequence")),
    time: new Date(serverHeader(headers, "Nats-Time-Stamp")),
    data: reply.data,
  };
}

/**
 * Returns a function that collects the messages of a batch until its end, or until one was lost on its way. Messages of a
 * mirror do not count, because it may lack some.
 */
export function collectBatch(
  stream: string,
  subject: string,
  resolve: (messages: readonly StoredMessage[]) => void,
  reject: (cause: unknown) => void,
): (reply: Msg) => boolean {
  const messages: StoredMessage[] = [];
  let last = 0;
  return (reply) => {
    const headers = headerText(reply);
    const status = statusOf(headers);
    // Each message names the one before it.
    const isGap = status === 0 && Number(serverHeader(headers, "Nats-Last-Sequence")) !== last;
    if (status === 204 || status === 404 || isGap) {
      resolve(messages);
      return true;
    }
    try {
      const message = directMessage(reply, subject);
      last = message?.sequence ?? last;
      if (message?.stream === stream) messages.push(message);
      return false;
    } catch (cause) {
      reject(cause);
      return true;
    }
  };
}

/** Returns the message that a leader returned. */
export function leaderMessage({ message }: LeaderResponse): LeaderMessage {
  const { subject, seq, time, data = "" } = message;
  return {
    subject,
    sequence: seq,
    time: new Date(time),
    stamp: stampOf(time),
    data: Uint8Array.fromBase64(data),
  };
}

/**
 * Returns a time of JetStream's JSON as nanoseconds since 1970, the form in which consumers send it. With the sequence it
 * tells a message from every other one that the stream has ever had there.
 *
 * @example Usage
 * ```ts
 * import { stampOf } from "./messages.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(stampOf("1970-01-01T00:00:01.0203Z"), "1020300000");
 * ```
 */
export function stampOf(time: string): string {
  const seconds = Date.parse(`${time.slice(0, 19)}Z`) / 1000;
  const fraction = /^\.(\d+)/.exec(time.slice(19))?.[1] ?? "";
  return `${seconds}${fraction.padEnd(9, "0")}`;
}

/** Returns the text of a message's data. */
export function textOf(data: Uint8Array): string {
  return decoder.decode(data);
}

/** Reads the reply subject of a delivered message: the last tokens of `$JS.ACK.…`. */
export function parseAck(reply: string): {
  readonly delivered: number;
  readonly sequence: number;
  readonly time: number;
  readonly stamp: string;
  readonly pending: number;
} {
  // It has nine tokens, or with the domain and the account twelve, the last of which is random.
  let dots = 0;
  for (let i = 0; i < reply.length; i++) {
    if (reply.charCodeAt(i) === DOT) dots++;
  }
  const end = dots > 10 ? reply.lastIndexOf(".") : reply.length;
  const fourth = reply.lastIndexOf(".", end - 1);
  const third = reply.lastIndexOf(".", fourth - 1);
  const second = reply.lastIndexOf(".", third - 1);
  const first = reply.lastIndexOf(".", second - 1);
  return {
    sequence: Number(reply.slice(first + 1, second)),
    delivered: Number(reply.slice(second + 1, third)),
    time: Number(reply.slice(third + 1, fourth - 6)),
    stamp: reply.slice(third + 1, fourth),
    pending: Number(reply.slice(fourth + 1, end)),
  };
}
