/**
 * What is published to JetStream and what it answers: headers, stored messages, errors.
 * @module
 */

import { headers as createHeaders, type Msg, type MsgHdrs } from "@nats-io/nats-core";
import { JetStreamError } from "./errors.ts";
import { descriptionOf, headerText, serverHeader, statusOf } from "./message_headers.ts";

/** What a publish demands of JetStream. */
export type PublishOptions = {
  /** Sequence of the subject's last message, 0 for none: refused as a conflict when it is another. */
  readonly expect?: number;
  /** Removes the subject's earlier messages. */
  readonly rollup?: boolean;
  /** How long the message lives, as Go writes durations. */
  readonly ttl?: string;
  /** A second message of this id is acknowledged and not stored, for as long as the stream remembers. */
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

/** Which message of a stream. */
export type MessageQuery =
  | { readonly seq: number }
  | { readonly last_by_subj: string }
  | { readonly seq: number; readonly next_by_subj: string };

const decoder = new TextDecoder();

/** Headers of a publish. */
export function publishHeaders({ expect, rollup, ttl, id }: PublishOptions): MsgHdrs {
  const headers = createHeaders();
  if (expect !== undefined) headers.set("Nats-Expected-Last-Subject-Sequence", expect.toString());
  if (rollup === true) headers.set("Nats-Rollup", "sub");
  if (ttl !== undefined) headers.set("Nats-TTL", ttl);
  if (id !== undefined) headers.set("Nats-Msg-Id", id);
  return headers;
}

/** A message as a stream's leader gives it. */
export type LeaderMessage = {
  readonly subject: string;
  readonly seq: number;
  readonly time: string;
  readonly data?: string;
};

/**
 * A JetStream answer.
 *
 * @throws JetStreamError that it states
 */
export function checked(answer: unknown, subject: string): unknown {
  const { error } = answer as {
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
  return answer;
}

/** A direct get's answer: the message, undefined for none. */
export function directMessage(reply: Msg, subject: string): StoredMessage | undefined {
  const headers = headerText(reply);
  if (headers === "") throw new TypeError(`Cannot read the answer of "${subject}"`);
  const status = statusOf(headers);
  if (status === 404) return undefined;
  if (status >= 400) throw new JetStreamError(0, status, descriptionOf(headers), subject);
  return {
    subject: serverHeader(headers, "Nats-Subject"),
    sequence: Number(serverHeader(headers, "Nats-Sequence")),
    time: new Date(serverHeader(headers, "Nats-Time-Stamp")),
    data: reply.data,
  };
}

/** A message that a leader gave. */
export function leaderMessage({ subject, seq, time, data = "" }: LeaderMessage): StoredMessage {
  return { subject, sequence: seq, time: new Date(time), data: Uint8Array.fromBase64(data) };
}

/** Text of a message's data. */
export function textOf(data: Uint8Array): string {
  return decoder.decode(data);
}
