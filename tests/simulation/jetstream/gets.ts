/**
 * Direct gets, answered by any copy, and gets of the leader.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-31.md
 * @module
 */

import { ApiErrors, Refused } from "./api_errors.ts";
import type { MessageStore, Stored } from "./message_store.ts";
import { matcherOf } from "./subject_filter.ts";
import { formatTime } from "./stored_time.ts";
import { PREFIX, statusMessage, type WireMessage, withHeader } from "./wire.ts";

/** A request for messages. */
export type GetRequest = {
  readonly seq?: number;
  readonly last_by_subj?: string;
  readonly next_by_subj?: string;
  readonly multi_last?: readonly string[];
  readonly batch?: number;
  readonly max_bytes?: number;
  readonly no_hdr?: boolean;
};

/** Bytes of a batch if the request names no limit: the server's `max_pending`. */
const MAX_PENDING = 64 * 1024 * 1024;
/** Most subjects of a get of last messages. */
const MAX_RESULTS = 1024;

/** Returns the responses to a direct get. */
export function directGet(
  stream: string,
  store: MessageStore,
  document: unknown,
  reply: string,
): readonly WireMessage[] {
  if (document === undefined) return [statusMessage(reply, "408 Empty Request")];
  if (typeof document !== "object" || document === null) {
    return [statusMessage(reply, "408 Malformed Request")];
  }
  const request = document as GetRequest;
  const { seq = 0, last_by_subj = "", next_by_subj = "", multi_last = [], batch = 0 } = request;
  if (seq === 0 && last_by_subj === "" && next_by_subj === "" && multi_last.length === 0) {
    return [statusMessage(reply, "408 Empty Request")];
  }
  if (
    (last_by_subj !== "" &&
      (seq > 0 || next_by_subj !== "" || batch > 0 || multi_last.length > 0)) ||
    (next_by_subj !== "" && multi_last.length > 0)
  ) return [statusMessage(reply, "408 Bad Request")];
  if (multi_last.length > 0) return getMultiple(stream, store, request, reply);
  if (batch > 0) return getBatch(stream, store, request, reply);
  const found = find(store, request);
  if (found === undefined) return [statusMessage(reply, "404 Message Not Found")];
  return [{ subject: reply, reply: "", headers: describe(stream, found), data: found.data }];
}

function find(
  store: MessageStore,
  { seq = 0, last_by_subj = "", next_by_subj = "" }: GetRequest,
): Stored | undefined {
  if (next_by_subj !== "") return store.next(seq, next_by_subj);
  return seq > 0 ? store.messages.get(seq) : store.last(last_by_subj);
}

/** Returns the headers of a message in a response. */
function describe(stream: string, { headers, subject, sequence, time }: Stored): string {
  const before = headers === "" ? PREFIX : headers.slice(0, -2);
  return `${before}Nats-Stream: ${stream}\r\nNats-Subject: ${subject}\r\n` +
    `Nats-Sequence: ${sequence}\r\nNats-Time-Stamp: ${formatTime(time)}\r\n\r\n`;
}

/** Collects the messages of a batch until a limit is reached. */
class Batch {
  readonly sent: WireMessage[] = [];
  last = 0;
  readonly #stream: string;
  readonly #reply: string;
  readonly #maxBytes: number;
  readonly #batch: number;
  #bytes = 0;

  constructor(stream: string, reply: string, { batch = 0, max_bytes = 0 }: GetRequest) {
    this.#stream = stream;
    this.#reply = reply;
    this.#batch = batch > 0 ? batch : Infinity;
    this.#maxBytes = max_bytes > 0 ? max_bytes : MAX_PENDING;
  }

  /** Adds a message. Returns false if it is the last. */
  add(message: Stored, pending: number): boolean {
    const described = describe(this.#stream, message);
    const counted = withHeader(described, "Nats-Num-Pending", pending);
    const headers = withHeader(counted, "Nats-Last-Sequence", this.last);
    this.sent.push({ subject: this.#reply, reply: "", headers, data: message.data });
    this.last = message.sequence;
    this.#bytes += message.subject.length + message.headers.length + message.data.length;
    return this.#bytes < this.#maxBytes && this.sent.length < this.#batch;
  }
}

function getBatch(
  stream: string,
  store: MessageStore,
  request: GetRequest,
  reply: string,
): readonly WireMessage[] {
  const { seq = 0, next_by_subj = "", batch = 1 } = request;
  let pending = store.count(seq, matcherOf(next_by_subj));
  const collected = new Batch(stream, reply, request);
  for (let from = seq;;) {
    const found = store.next(from, next_by_subj);
    if (found === undefined) {
      if (batch > 1 && collected.sent.length > 0) break;
      return [...collected.sent, statusMessage(reply, "404 Message Not Found")];
    }
    pending--;
    from = found.sequence + 1;
    if (!collected.add(found, pending)) break;
  }
  return [
    ...collected.sent,
    statusMessage(reply, "204 EOB", {
      "Nats-Num-Pending": pending,
      "Nats-Last-Sequence": collected.last,
    }),
  ];
}

function getMultiple(
  stream: string,
  store: MessageStore,
  request: GetRequest,
  reply: string,
): readonly WireMessage[] {
  const { multi_last = [], seq = 0 } = request;
  const lasts = new Set<number>();
  for (const filter of multi_last) {
    for (const sequence of store.lastsOf(filter)) lasts.add(sequence);
  }
  const found = [...lasts].sort((a, b) => a - b);
  if (found.length > MAX_RESULTS) return [statusMessage(reply, "413 Too Many Results")];
  if (found.length === 0) return [statusMessage(reply, "404 No Results")];
  const collected = new Batch(stream, reply, request);
  let pending = found.length;
  for (const sequence of found) {
    const message = store.messages.get(sequence);
    pending--;
    if (message === undefined || sequence < seq) continue;
    if (!collected.add(message, pending)) break;
  }
  return [
    ...collected.sent,
    statusMessage(reply, "204 EOB", {
      "Nats-Num-Pending": pending,
      "Nats-Last-Sequence": collected.last,
      "Nats-UpTo-Sequence": store.lastSequence,
    }),
  ];
}

/**
 * Reads a request to a leader.
 *
 * @throws Refused
 */
export function leaderRequest(document: object): GetRequest {
  const request = document as GetRequest;
  const { seq = 0, last_by_subj = "", next_by_subj = "", batch = 0, max_bytes = 0 } = request;
  if (
    batch > 0 || max_bytes > 0 || (last_by_subj !== "" && (seq > 0 || next_by_subj !== "")) ||
    (seq === 0 && last_by_subj === "" && next_by_subj === "")
  ) throw new Refused(ApiErrors.badRequest);
  return request;
}

/** Messages never change, and records are read often. */
const texts = new WeakMap<Stored, string>();

/**
 * Returns the message of a leader's answer, as JSON.
 *
 * @throws Refused
 */
export function leaderGet(store: MessageStore, request: GetRequest): string {
  const found = find(store, request);
  if (found === undefined) throw new Refused(ApiErrors.noMessage);
  if (request.no_hdr === true) return messageText({ ...found, headers: "" });
  let text = texts.get(found);
  if (text === undefined) {
    text = messageText(found);
    texts.set(found, text);
  }
  return text;
}

function messageText({ subject, sequence, headers, data, time }: Stored): string {
  return JSON.stringify({
    subject,
    seq: sequence,
    ...(headers !== "" && { hdrs: btoa(headers) }),
    ...(data.length > 0 && { data: data.toBase64() }),
    time: formatTime(time),
  });
}
