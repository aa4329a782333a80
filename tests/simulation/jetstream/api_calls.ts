/**
 * The calls about streams, messages and consumers: `$JS.API.…`.
 * See https://docs.nats.io/reference/reference-protocols/nats_api_reference
 * @module
 */

import type { ApiContext, Call, Fields, Respond } from "./api_call.ts";
import { type ApiError, ApiErrors, Refused } from "./api_errors.ts";
import { createConsumer, deleteConsumer } from "./consumer_calls.ts";
import { deleteMessage, getMessage, purgeStream } from "./message_calls.ts";
import { createStream, deleteStream, updateStream } from "./stream_changes.ts";
import { listNames, listStreams, readStream } from "./stream_reading.ts";
import { documentOf, jsonMessage, textMessage, type WireMessage } from "./wire.ts";

/** A call and the type of its response. */
type ApiCall = {
  readonly type: string;
  readonly run: Call;
  /** Fields that a refusal has, too. */
  readonly zero?: Fields;
};

/** All calls, by the method. */
const CALLS: Readonly<Record<string, ApiCall>> = {
  "STREAM.CREATE": { type: "stream_create_response", run: createStream },
  "STREAM.UPDATE": { type: "stream_update_response", run: updateStream },
  "STREAM.DELETE": { type: "stream_delete_response", run: deleteStream },
  "STREAM.INFO": {
    type: "stream_info_response",
    run: readStream,
    zero: { total: 0, offset: 0, limit: 0 },
  },
  "STREAM.NAMES": { type: "stream_names_response", run: listNames },
  "STREAM.LIST": { type: "stream_list_response", run: listStreams },
  "STREAM.PURGE": { type: "stream_purge_response", run: purgeStream, zero: { purged: 0 } },
  "STREAM.MSG.DELETE": { type: "stream_msg_delete_response", run: deleteMessage },
  "STREAM.MSG.GET": { type: "stream_msg_get_response", run: getMessage },
  "CONSUMER.CREATE": { type: "consumer_create_response", run: createConsumer },
  "CONSUMER.DELETE": { type: "consumer_delete_response", run: deleteConsumer },
};

/** Begins the subject of each call. */
export const API = "$JS.API.";
const TYPE = "io.nats.jetstream.api.v1.";

/** A call, undefined if there is none of its name, and the names that follow it. */
type Addressed = { readonly call: ApiCall | undefined; readonly names: readonly string[] };

/** Most calls go to a few subjects. */
const subjects = new Map<string, Addressed>();
const MAX_SUBJECTS = 10_000;

function addressed(subject: string): Addressed {
  const known = subjects.get(subject);
  if (known !== undefined) return known;
  const tokens = subject.slice(API.length).split(".");
  const length = tokens[1] === "MSG" ? 3 : 2;
  const call = CALLS[tokens.slice(0, length).join(".")];
  const read = { call, names: tokens.slice(length) };
  if (subjects.size >= MAX_SUBJECTS) subjects.clear();
  subjects.set(subject, read);
  return read;
}

/** Answers a call. Returns false if nobody listens to its subject. */
export function answerCall(context: ApiContext, message: WireMessage): boolean {
  const { subject, reply } = message;
  if (subject === `${API}INFO`) {
    context.send(jsonMessage(reply, { type: `${TYPE}account_info_response`, ...ACCOUNT }));
    return true;
  }
  const { call, names } = addressed(subject);
  if (call === undefined) return false;
  const respond: Respond = (fields) => {
    if (reply === "") return;
    const text = typeof fields === "string" ? fields : JSON.stringify(fields).slice(1, -1);
    context.send(textMessage(reply, `{"type":"${TYPE}${call.type}",${text}}`));
  };
  const refuse = (error: ApiError): void => respond({ ...call.zero, error });
  const stream = context.streams.get(names[0] ?? "");
  if (stream !== undefined && stream.leaderless > context.clock.now()) {
    // Another server knows that there is no leader, or none answers.
    if (context.random() < 0.5) refuse(ApiErrors.unavailable);
    return true;
  }
  try {
    call.run(context, names, documentOf(message), respond);
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause;
    refuse(cause.error);
  }
  return true;
}

/** An account without limits. */
const ACCOUNT = {
  memory: 0,
  storage: 0,
  reserved_memory: 0,
  reserved_storage: 0,
  streams: 0,
  consumers: 0,
  limits: {
    max_memory: -1,
    max_storage: -1,
    max_streams: -1,
    max_consumers: -1,
    max_ack_pending: -1,
    memory_max_stream_bytes: -1,
    storage_max_stream_bytes: -1,
    max_bytes_required: false,
  },
  api: { level: 4, total: 0, errors: 0 },
} as const;
