/**
 * The answers to a request, as text without the times and names that only one server has.
 * @module
 */

import { headers as createHeaders, type MsgHdrs, type NatsConnection } from "@nats-io/nats-core";
import { headerText, statusOf } from "../../src/nats/jetstream/message_headers.ts";
import type { Request } from "./random_words.ts";

/** An answer as text. */
export type Answer = string;

/** The answers to a request. */
export type Asked = {
  readonly answers: readonly Answer[];
  /** What a consumer pushed afterwards, until it is stopped. */
  readonly later: Answer[];
  readonly stop: () => void;
};

/** Milliseconds to wait for an answer. */
const TIMEOUT = 4000;
/** Milliseconds after a message in which the next one comes, if there is one. */
const QUIET = 60;

/** Sends a request and returns all its answers. A consumer goes on until it is stopped. */
export async function ask(
  connection: NatsConnection,
  request: Request,
): Promise<Asked> {
  const inbox = `_INBOX.differential.${crypto.randomUUID()}`;
  const answers: Answer[] = [];
  const later: Answer[] = [];
  let isOver = false;
  const over = Promise.withResolvers<void>();
  const { subject, data, headers, ends } = request;
  let quiet: ReturnType<typeof setTimeout> | undefined;
  /** Messages that a consumer has to push; unknown before it exists. */
  let pending: number | undefined;
  let pushed = 0;
  const timer = setTimeout(() => {
    answers.push("unanswered");
    over.resolve();
  }, TIMEOUT);
  const subscription = connection.subscribe(inbox, {
    callback(error, message) {
      if (error !== null) throw error;
      const text = headerText(message);
      const status = statusOf(text);
      if (status === 100) return; // heartbeats come at their own time
      const isAnswer = message.subject === inbox;
      const as = isAnswer ? "" : message.subject;
      if (isOver) {
        // The counts depend on how fast messages are sent and removed.
        later.push(describe(text, message.data, as, "", inbox));
        return;
      }
      answers.push(describe(text, message.data, as, message.reply ?? "", inbox));
      if (ends === "quiet") {
        clearTimeout(quiet);
        quiet = setTimeout(over.resolve, QUIET);
      } else if (ends === "pushed") {
        if (!isAnswer) pushed++;
        else if (status === 0) pending = message.json<{ num_pending?: number }>().num_pending ?? 0;
        if (pushed === pending || status > 0) over.resolve();
      } else if (ends === "one" || status > 0) over.resolve();
    },
  });
  connection.publish(subject, data.replaceAll("%INBOX%", inbox), {
    reply: inbox,
    ...(headers !== undefined && { headers: headersOf(headers) }),
  });
  await over.promise;
  clearTimeout(timer);
  clearTimeout(quiet);
  isOver = true;
  const stop = (): void => subscription.unsubscribe();
  if (ends !== "pushed") stop();
  // What is pushed may overtake the answer that the consumer was made.
  else answers.sort((a, b) => Number(a.startsWith("{")) - Number(b.startsWith("{")));
  return { answers, later, stop };
}

function headersOf(lines: Readonly<Record<string, string>>): MsgHdrs {
  const headers = createHeaders();
  for (const [name, value] of Object.entries(lines)) headers.set(name, value);
  return headers;
}

/** Times and names that only one server has. */
const MASKED = new Set([
  "created",
  "ts",
  "time",
  "first_ts",
  "last_ts",
  "last_active",
  "alternates",
  "cluster",
  "ack_floor",
  "num_waiting",
  "push_bound",
  "paused",
]);
const ZERO = "0001-01-01T00:00:00Z";
const decoder = new TextDecoder();

function describe(
  headers: string,
  data: Uint8Array,
  deliveredAs: string,
  reply: string,
  inbox: string,
): Answer {
  const lines = headers.split("\r\n").filter((line) => line !== "")
    .map((line) => line.startsWith("Nats-Time-Stamp:") ? "Nats-Time-Stamp: masked" : line);
  const [status = "", ...rest] = lines;
  const text = decoder.decode(data);
  const parts = [status.trim(), ...rest, deliveredAs, maskReply(reply)].filter((part) =>
    part !== ""
  );
  return `${parts.join(" | ")} ${readable(text, inbox)}`.trim();
}

/**
 * `$JS.ACK.stream.consumer.deliveries.stream sequence.consumer sequence.time.pending`, without the time and what is pending,
 * because nats-server may count too much after messages were replaced.
 */
function maskReply(reply: string): string {
  if (!reply.startsWith("$JS.ACK.")) return "";
  const tokens = reply.split(".");
  tokens[7] = "time";
  tokens[8] = "pending";
  return tokens.join(".");
}

function readable(text: string, inbox: string): string {
  if (!text.startsWith("{")) {
    return text.length > 100 ? `${text.slice(0, 100)}… of ${text.length}` : text;
  }
  const masked = JSON.parse(text, (name, value) => {
    if (MASKED.has(name)) return value === ZERO ? ZERO : undefined;
    if (name === "metadata" && typeof value === "object" && value !== null) {
      const kept = Object.entries(value).filter(([key]) => !key.startsWith("_nats."));
      return kept.length === 0 ? undefined : Object.fromEntries(kept);
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    // An empty stream of a file begins with 0, and some time later with 1.
    if (name === "state" && value.last_seq === 0 && value.first_seq === 1) value.first_seq = 0;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return JSON.stringify(masked).replaceAll(inbox, "%INBOX%");
}
