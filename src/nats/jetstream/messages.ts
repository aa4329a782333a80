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

/** A message as a consumer delivers it. */
export type Delivery = {
  readonly subject: string;
  readonly sequence: number;
  /** The time when JetStream stored it, in milliseconds since 1970. */
  readonly time: number;
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

const decoder = new TextDecoder();
const DOT = ".".charCodeAt(0);

/** Returns the headers of a publish. */
export function publishHeaders({ expect, rollup, ttl, id }: PublishOptions): MsgHdrs {
  const headers = createHeaders();
  if (expect !== undefined) headers.set("Nats-Expected-Last-Subject-Sequence", expect.toString());
  if (rollup === true) headers.set("Nats-Rollup", "sub");
  if (ttl !== undefined) headers.set("Nats-TTL", ttl);
  if (id !== undefined) headers.set("Nats-Msg-Id", id);
  return headers;
}

/** A message as a stream's leader returns it. */
export type LeaderMessage = {
  readonly subject: string;
  readonly seq: number;
  readonly time: string;
  readonly data?: string;
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

/** Returns the message that a leader returned. */
export function leaderMessage({ subject, seq, time, data = "" }: LeaderMessage): StoredMessage {
  return { subject, sequence: seq, time: new Date(time), data: Uint8Array.fromBase64(data) };
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
    pending: Number(reply.slice(fourth + 1, end)),
  };
}
