/**
 * The calls about streams and consumers: `$JS.API.…`.
 * See https://docs.nats.io/reference/reference-protocols/nats_api_reference
 * @module
 */

import {
  type ApiError,
  ApiErrors,
  invalidConfig,
  notSimulated,
  Refused,
  sequenceNotFound,
} from "./api_errors.ts";
import { Consumer, type ConsumerConfig, type ConsumerContext } from "./consumer.ts";
import { leaderGet, leaderRequest } from "./gets.ts";
import { overLimit, type StoreChange } from "./message_store.ts";
import { formatTime, NO_TIME, type StoredTime } from "./stored_time.ts";
import { Stream } from "./stream.ts";
import { complete, type Config, update } from "./stream_config.ts";
import { collide, matcherOf } from "./subject_filter.ts";
import type { Proposal } from "./stream.ts";

/** What the calls need of the server. */
export type ApiContext = ConsumerContext & {
  readonly streams: Map<string, Stream>;
  readonly now: () => StoredTime;
  readonly propose: (stream: Stream, proposal: Proposal) => void;
  /** Called when subjects, copies or consumers of a stream have changed. */
  readonly changed: (stream: Stream) => void;
};

/** Fields of a request. */
type Fields = Readonly<Record<string, unknown>>;
/** Sends the fields of a response. */
type Respond = (fields: Fields) => void;
/** A call: its handler gets the rest of the subject and the document. */
type Call = (
  context: ApiContext,
  names: readonly string[],
  document: unknown,
  respond: Respond,
) => void;

/** Most subjects of a page of STREAM.INFO, and streams of a page of names and lists. */
const MAX_SUBJECTS = 100_000;
const NAMES_PAGE = 1024;
const LIST_PAGE = 256;

/** A call and the type of its response. */
export type ApiCall = {
  readonly type: string;
  readonly run: Call;
  /** Fields that a refusal has, too. */
  readonly zero?: Fields;
};

/** All calls, by the method. */
export const CALLS: Readonly<Record<string, ApiCall>> = {
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

function streamOf({ streams }: ApiContext, name: string | undefined): Stream {
  const stream = streams.get(name ?? "");
  if (stream === undefined) throw new Refused(ApiErrors.streamNotFound);
  return stream;
}

function fieldsOf(document: unknown): Fields {
  if (document === undefined) return {};
  if (typeof document === "object" && document !== null) return document as Fields;
  throw new Refused({ code: 400, err_code: 10025, description: "invalid JSON" });
}

function createStream(
  context: ApiContext,
  [name = ""]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  const sent = fieldsOf(document);
  if (sent["name"] !== name) throw new Refused(ApiErrors.streamMismatch);
  if (sent["sealed"] === true) {
    throw new Refused(invalidConfig("stream configuration for create can not be sealed"));
  }
  const config = complete(sent);
  const existing = context.streams.get(name);
  if (existing !== undefined) {
    if (!isSame(existing.config, config)) throw new Refused(ApiErrors.nameInUse);
    respond({ ...describe(context, existing), did_create: true });
    return;
  }
  checkOverlap(context, config);
  const stream = new Stream(config, context.now());
  context.streams.set(name, stream);
  const origin = config.mirror && context.streams.get(config.mirror.name);
  if (origin) {
    for (const message of origin.store.messages.values()) {
      stream.commit([{ kind: "store", message }], context.now().ms);
    }
  }
  context.changed(stream);
  respond({ ...describe(context, stream), did_create: true });
}

function checkOverlap({ streams }: ApiContext, { name, subjects = [] }: Config): void {
  for (const other of streams.values()) {
    if (other.config.name === name) continue;
    const taken = other.config.subjects ?? [];
    if (subjects.some((one) => taken.some((two) => collide(one, two)))) {
      throw new Refused(ApiErrors.overlap);
    }
  }
}

function isSame(one: Config, other: Config): boolean {
  const text = (config: Config): string => JSON.stringify(Object.entries(config).sort());
  return text(one) === text(other);
}

function updateStream(
  context: ApiContext,
  [name = ""]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  const sent = fieldsOf(document);
  const config = complete(sent);
  if (config.name !== name) throw new Refused(ApiErrors.streamMismatch);
  const stream = streamOf(context, name);
  const updated = update(stream.config, config);
  checkOverlap(context, config);
  stream.config = updated;
  stream.resize();
  stream.commit(overLimit(stream.store, stream.config), context.now().ms);
  context.changed(stream);
  respond(describe(context, stream));
}

function deleteStream(
  context: ApiContext,
  [name]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  if (Object.keys(fieldsOf(document)).length > 0) throw new Refused(ApiErrors.notEmpty);
  const stream = streamOf(context, name);
  for (const consumer of stream.consumers.values()) consumer.end();
  context.streams.delete(stream.config.name);
  context.changed(stream);
  respond({ success: true });
}

/** Returns the fields of a StreamInfo. */
function describe({ now }: ApiContext, { config, created, store, consumers }: Stream): Fields {
  const deleted = store.messages.size === 0
    ? 0
    : store.lastSequence - store.firstSequence + 1 - store.messages.size;
  const first = store.messages.get(store.firstSequence);
  // Nothing was ever stored or compacted.
  const isUntouched = store.lastSequence === 0 && store.firstSequence === 1 && !store.isCompacted &&
    config.first_seq === undefined;
  return {
    config,
    created: formatTime(created),
    state: {
      messages: store.messages.size,
      bytes: store.bytes,
      first_seq: isUntouched ? 0 : store.firstSequence,
      first_ts: first === undefined ? NO_TIME : formatTime(first.time),
      last_seq: store.lastSequence,
      last_ts: store.lastTime === undefined ? NO_TIME : formatTime(store.lastTime),
      ...(deleted > 0 && { num_deleted: deleted }),
      ...(store.subjects.size > 0 && { num_subjects: store.subjects.size }),
      consumer_count: consumers.size,
    },
    cluster: { leader: "n1", ...(config.num_replicas > 1 && { name: "simulation" }) },
    ts: formatTime(now()),
  };
}

function readStream(
  context: ApiContext,
  [name]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  const { subjects_filter = "", offset = 0, deleted_details } = fieldsOf(document) as {
    readonly subjects_filter?: string;
    readonly offset?: number;
    readonly deleted_details?: boolean;
  };
  if (deleted_details === true) throw new Refused(notSimulated("deleted_details"));
  const stream = streamOf(context, name);
  const described: Fields = { ...describe(context, stream), total: 0, offset: 0, limit: 0 };
  if (subjects_filter === "") {
    respond(described);
    return;
  }
  const matches = matcherOf(subjects_filter);
  const counts = [...stream.store.subjects].filter(([subject]) => matches(subject))
    .map(([subject, list]) => [subject, list.length] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (counts.length === 0) {
    respond(described);
    return;
  }
  const page = Object.fromEntries(
    counts.slice(Math.max(0, offset), Math.max(0, offset) + MAX_SUBJECTS),
  );
  const state = described["state"] as Fields;
  respond({
    ...described,
    state: { ...state, ...(Object.keys(page).length > 0 && { subjects: page }) },
    total: counts.length,
    offset: Math.max(0, offset),
    limit: MAX_SUBJECTS,
  });
}

/** Returns a page of the streams that a request selects, by name. */
function pageOf(
  { streams }: ApiContext,
  document: unknown,
  limit: number,
): { readonly total: number; readonly offset: number; readonly page: readonly Stream[] } {
  const { offset = 0, subject } = fieldsOf(document) as {
    readonly offset?: number;
    readonly subject?: string;
  };
  const all = [...streams.values()]
    .filter(({ config: { subjects = [] } }) =>
      !subject || subjects.some((one) => collide(one, subject))
    )
    .sort((a, b) => (a.config.name < b.config.name ? -1 : 1));
  return {
    total: all.length,
    offset: Math.min(offset, all.length),
    page: all.slice(offset, offset + limit),
  };
}

function listNames(
  context: ApiContext,
  _: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  const { total, offset, page } = pageOf(context, document, NAMES_PAGE);
  respond({
    total,
    offset,
    limit: NAMES_PAGE,
    streams: page.length === 0 ? null : page.map(({ config }) => config.name),
  });
}

function listStreams(
  context: ApiContext,
  _: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  const { total, offset, page } = pageOf(context, document, LIST_PAGE);
  respond({
    total,
    offset,
    limit: LIST_PAGE,
    streams: page.map((stream) => describe(context, stream)),
  });
}

function purgeStream(
  context: ApiContext,
  [name]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  const { filter = "", seq = 0, keep = 0 } = fieldsOf(document) as {
    readonly filter?: string;
    readonly seq?: number;
    readonly keep?: number;
  };
  if (seq > 0 && keep > 0) throw new Refused(ApiErrors.badRequest);
  const stream = streamOf(context, name);
  const { config, store } = stream;
  if (config.sealed) throw new Refused(ApiErrors.sealed);
  if (config.deny_purge) {
    throw new Refused({ code: 500, err_code: 10110, description: "stream purge not permitted" });
  }
  const isWhole = filter === "" || filter === ">";
  let changes: StoreChange[];
  let purged: number;
  if (seq === 1 || (isWhole && seq === 0 && keep === 0)) {
    changes = seq === 1 ? [] : [{ kind: "compact", sequence: store.lastSequence + 1 }];
    purged = seq === 1 ? 0 : store.messages.size;
  } else if (isWhole && seq > 1) {
    changes = [{ kind: "compact", sequence: seq }];
    purged = store.sequencesOf("").filter((sequence) => sequence < seq).length;
  } else {
    const found = store.sequencesOf(filter);
    const gone = seq > 0
      ? found.filter((sequence) => sequence < seq)
      : found.slice(0, Math.max(0, found.length - keep));
    changes = gone.length === 0 ? [] : [{ kind: "remove", sequences: gone }];
    purged = gone.length;
  }
  context.propose(stream, {
    changes,
    ids: [],
    subjects: [],
    committed: () => respond({ success: true, purged }),
  });
}

function deleteMessage(
  context: ApiContext,
  [name]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  if (document === undefined) throw new Refused(ApiErrors.badRequest);
  const { seq = 0 } = fieldsOf(document) as { readonly seq?: number };
  const stream = streamOf(context, name);
  const { config, store } = stream;
  if (config.sealed) throw new Refused(ApiErrors.sealed);
  if (config.deny_delete) {
    throw new Refused({ code: 500, err_code: 10057, description: "message delete not permitted" });
  }
  if (!store.messages.has(seq)) {
    throw new Refused(notHeld(stream, seq));
  }
  const changes = [{ kind: "remove", sequences: [seq] }] as const;
  context.propose(stream, {
    changes,
    ids: [],
    subjects: [],
    committed: () => respond({ success: true }),
  });
}

function getMessage(
  context: ApiContext,
  [name]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  if (document === undefined) throw new Refused(ApiErrors.badRequest);
  const request = leaderRequest(fieldsOf(document));
  const { store } = streamOf(context, name);
  respond({ message: leaderGet(store, request) });
}

function createConsumer(
  context: ApiContext,
  [stream_name = "", name = ""]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  const { config, action } = fieldsOf(document) as {
    readonly config?: ConsumerConfig;
    readonly action?: string;
  };
  const stream = streamOf(context, stream_name);
  if (config === undefined || config.name !== name) {
    throw new Refused(notSimulated("consumers without a name"));
  }
  if (action !== "create") throw new Refused(notSimulated("consumers that exist"));
  if (stream.consumers.has(name)) {
    throw new Refused({ code: 400, err_code: 10148, description: "consumer already exists" });
  }
  const consumer = new Consumer(context, stream, config);
  stream.consumers.set(name, consumer);
  respond(describeConsumer(context, stream, consumer));
  context.changed(stream);
  consumer.deliver();
}

function consumerOf(
  context: ApiContext,
  [stream, name = ""]: readonly string[],
): readonly [Stream, Consumer] {
  const found = streamOf(context, stream);
  const consumer = found.consumers.get(name);
  if (consumer === undefined) throw new Refused(ApiErrors.consumerNotFound);
  return [found, consumer];
}

function deleteConsumer(
  context: ApiContext,
  names: readonly string[],
  _: unknown,
  respond: Respond,
): void {
  const [stream, consumer] = consumerOf(context, names);
  consumer.end();
  stream.consumers.delete(consumer.config.name);
  respond({ success: true });
}

function describeConsumer({ now }: ApiContext, { config }: Stream, consumer: Consumer): Fields {
  return {
    stream_name: config.name,
    name: consumer.config.name,
    created: formatTime(now()),
    config: {
      max_deliver: -1,
      ...(consumer.config.deliver_subject === undefined && { max_waiting: 512 }),
      ...consumer.config,
    },
    delivered: consumer.delivered,
    ack_floor: consumer.delivered,
    num_ack_pending: 0,
    num_redelivered: 0,
    num_waiting: 0,
    num_pending: consumer.pending,
    ts: formatTime(now()),
  };
}

/** Returns why a message that a stream does not hold cannot be deleted: files distinguish more than memory. */
function notHeld({ config, store }: Stream, sequence: number): ApiError {
  const isWithin = sequence >= store.firstSequence && sequence <= store.lastSequence &&
    store.messages.size > 0;
  if (config.storage === "memory" || isWithin) return sequenceNotFound(sequence);
  const isBefore = sequence <= store.lastSequence;
  const description = isBefore ? "no message found" : "stream store EOF";
  return { code: 500, err_code: 10057, description };
}

/** Returns the response of a call that was refused. */
export function refusal({ zero }: ApiCall, error: ApiError): Fields {
  return { ...zero, error };
}
