/**
 * Publishes into a stream: the conditions of nats-server, in its order, and atomic batches.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-50.md (batches)
 * and https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-43.md (lifetimes)
 * @module
 */

import {
  type ApiError,
  ApiErrors,
  Refused,
  rollupFailed,
  storeFailed,
  tooLargeBatch,
  unsupportedHeader,
  wrongLast,
  wrongLastId,
} from "./api_errors.ts";
import type { StoreChange, Stored } from "./message_store.ts";
import type { Proposal, Stream } from "./stream.ts";
import { parseDuration, type StoredTime } from "./stored_time.ts";
import { headerOf, jsonMessage, type WireMessage, withHeader } from "./wire.ts";

/** What publishing needs of the server. */
export type PublishContext = {
  readonly now: () => StoredTime;
  readonly send: (message: WireMessage) => void;
  /** Commits a proposal once it has a majority: at once where there is one copy. */
  readonly propose: (stream: Stream, proposal: Proposal) => void;
};

/** The messages of a batch that has not ended. */
export type StagedBatch = { readonly messages: WireMessage[]; readonly at: number };

/** Most messages of a batch, and batches at a time; milliseconds without a message after which one is given up. */
const MAX_BATCH = 1000;
const MAX_BATCHES = 50;
const BATCH_TIMEOUT = 10_000;
/** Bytes that a block of headers may have. */
const MAX_HEADERS = 65_535;

/** Publishes a message, or a part of a batch. */
export function publish(context: PublishContext, stream: Stream, message: WireMessage): void {
  try {
    const id = headerOf(message.headers, "Nats-Batch-Id");
    if (id === "") publishOne(context, stream, message);
    else publishInBatch(context, stream, message, id);
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause;
    refuse(context, stream, message.reply, cause.error);
  }
}

function refuse(
  { send }: PublishContext,
  { config }: Stream,
  reply: string,
  error: ApiError,
): void {
  if (reply !== "") send(jsonMessage(reply, { error, stream: config.name, seq: 0 }));
}

function publishOne(context: PublishContext, stream: Stream, message: WireMessage): void {
  const { config, ids } = stream;
  const { reply, headers } = message;
  const acknowledge = (more: Readonly<Record<string, unknown>>): void => {
    if (reply !== "") context.send(jsonMessage(reply, { stream: config.name, ...more }));
  };
  const staged = new Staged(stream, context.now());
  const id = headerOf(headers, "Nats-Msg-Id");
  const known = staged.check(message, false) ? ids.get(id) : undefined;
  if (known !== undefined) {
    acknowledge({ seq: known.sequence, duplicate: true });
    return;
  }
  const { sequence } = staged.add(message);
  context.propose(stream, {
    ...staged.proposal(),
    committed: () => acknowledge({ seq: sequence }),
  });
}

function publishInBatch(
  context: PublishContext,
  stream: Stream,
  message: WireMessage,
  id: string,
): void {
  const { config, batches } = stream;
  const { headers, reply } = message;
  if (config.sealed) throw new Refused(ApiErrors.sealed);
  checkSize(stream, message);
  if (config.allow_atomic !== true) throw new Refused(ApiErrors.noBatches);
  if (id.length > 64) throw new Refused(ApiErrors.badBatchId);
  const text = headerOf(headers, "Nats-Batch-Sequence");
  if (text === "") throw new Refused(ApiErrors.noBatchSequence);
  const sequence = /^\d+$/.test(text) ? Number(text) : Infinity;
  const commit = headerOf(headers, "Nats-Batch-Commit");
  const isEnd = commit === "eob";
  const size = isEnd ? sequence - 1 : sequence;
  const now = context.now();
  for (const [name, { at }] of batches) if (at + BATCH_TIMEOUT <= now.ms) batches.delete(name);
  const known = batches.get(id);
  if (known === undefined && sequence !== 1) {
    throw new Refused(size > MAX_BATCH ? tooLargeBatch(MAX_BATCH) : ApiErrors.incompleteBatch);
  }
  if (known === undefined && batches.size >= MAX_BATCHES) {
    throw new Refused(ApiErrors.incompleteBatch);
  }
  const messages = known?.messages ?? [];
  batches.delete(id);
  if (commit !== "" && !isEnd && commit !== "1") throw new Refused(ApiErrors.badCommit);
  if (messages.length + 1 !== sequence || (sequence === 1 && isEnd)) {
    throw new Refused(ApiErrors.incompleteBatch);
  }
  if (size > MAX_BATCH) throw new Refused(tooLargeBatch(MAX_BATCH));
  if (!isEnd) messages.push(message);
  else {
    const end = messages.pop();
    // The last message gets the header that it would have had otherwise.
    if (end !== undefined) {
      messages.push({ ...end, headers: withHeader(end.headers, "Nats-Batch-Commit", 1) });
    }
  }
  if (commit === "") {
    batches.set(id, { messages, at: now.ms });
    if (reply !== "") context.send({ subject: reply, reply: "", headers: "", data: NOTHING });
    return;
  }
  const staged = new Staged(stream, now);
  let last = 0;
  for (const one of messages) {
    if (headerOf(one.headers, "Nats-Expected-Last-Msg-Id") !== "") {
      throw new Refused(unsupportedHeader("Nats-Expected-Last-Msg-Id"));
    }
    staged.check(one, true);
    last = staged.add(one).sequence;
  }
  context.propose(stream, {
    ...staged.proposal(),
    committed: () => {
      if (reply === "") return;
      const answer = { stream: config.name, seq: last, batch: id, count: messages.length };
      context.send(jsonMessage(reply, answer));
    },
  });
}

const NOTHING = new Uint8Array();

function checkSize({ config }: Stream, { headers, data }: WireMessage): void {
  const { max_msg_size: max } = config;
  if (max >= 0 && headers.length + data.length > max) throw new Refused(ApiErrors.messageTooLarge);
}

/** Messages that are checked and not yet proposed: one, or those of a batch. */
class Staged {
  readonly #stream: Stream;
  readonly #time: StoredTime;
  readonly #changes: StoreChange[] = [];
  readonly #subjects: string[] = [];
  readonly #ids: [string, number][] = [];
  /** Messages and bytes that are staged or proposed. */
  #messages = 0;
  #bytes = 0;
  #next: number;

  constructor(stream: Stream, time: StoredTime) {
    this.#stream = stream;
    this.#time = time;
    this.#next = stream.store.lastSequence + 1;
    for (const { changes } of stream.proposals) {
      for (const change of changes) {
        if (change.kind !== "store") continue;
        this.#next = change.message.sequence + 1;
        this.#messages++;
        this.#bytes += stream.store.sizeOf(change.message);
      }
    }
  }

  /**
   * Checks the conditions of a message.
   *
   * @returns true if it has an id that the stream knows
   * @throws Refused
   */
  check(message: WireMessage, isBatch: boolean): boolean {
    const { config } = this.#stream;
    const { headers } = message;
    if (config.sealed) throw new Refused(ApiErrors.sealed);
    if (!isBatch) checkSize(this.#stream, message);
    if (headers === "") return false;
    const expected = headerOf(headers, "Nats-Expected-Stream");
    if (expected !== "" && expected !== config.name) throw new Refused(ApiErrors.expectedStream);
    this.#checkTtl(headers, isBatch);
    if (isBatch) {
      this.#checkId(headers);
      this.#checkLast(headers, true);
      this.#checkSubject(message, true);
      this.#checkRollup(message, true);
      return false;
    }
    const id = headerOf(headers, "Nats-Msg-Id");
    // Where there are several copies, the leader checks ids and the last sequence before it proposes.
    const isKnown = id !== "" && (this.#knownId(id));
    if (this.#isReplicated && isKnown) return true;
    if (this.#isReplicated) this.#checkLast(headers, false);
    this.#checkSubject(message, false);
    if (!this.#isReplicated) this.#checkLast(headers, false);
    if (isKnown) return true;
    const lastId = headerOf(headers, "Nats-Expected-Last-Msg-Id");
    if (lastId !== "" && lastId !== this.#stream.lastId) {
      throw new Refused(wrongLastId(this.#stream.lastId));
    }
    this.#checkRollup(message, false);
    return false;
  }

  /**
   * Adds a message that was checked.
   *
   * @throws Refused if the stream is full
   */
  add({ subject, headers, data }: WireMessage): Stored {
    const { store, config } = this.#stream;
    const rollup = headerOf(headers, "Nats-Rollup");
    const ttl = ttlOf(headers);
    if (ttl === undefined) throw new Refused(ApiErrors.badTtl);
    const sequence = this.#next++;
    const message: Stored = {
      sequence,
      subject,
      headers,
      data: data.slice(),
      time: this.#time,
      expires: ttl > 0 ? this.#time.ms + ttl * 1000 : 0,
    };
    this.#messages++;
    this.#bytes += store.sizeOf(message);
    const held = store.subjects.get(subject)?.length ?? 0;
    if (config.discard === "new") this.#checkRoom(message, rollup !== "", held);
    this.#changes.push({ kind: "store", message });
    this.#subjects.push(subject);
    const id = headerOf(headers, "Nats-Msg-Id");
    if (id !== "") this.#ids.push([id, sequence]);
    if (rollup === "sub") this.#removeAll(store.subjects.get(subject) ?? []);
    else if (rollup === "all") this.#changes.push({ kind: "compact", sequence });
    return message;
  }

  /** Returns what is to be proposed. */
  proposal(): Omit<Proposal, "committed"> {
    return { changes: this.#changes, ids: this.#ids, subjects: this.#subjects };
  }

  get #isReplicated(): boolean {
    return this.#stream.config.num_replicas > 1;
  }

  #removeAll(sequences: readonly number[]): void {
    if (sequences.length > 0) this.#changes.push({ kind: "remove", sequences: [...sequences] });
  }

  #knownId(id: string): boolean {
    const known = this.#stream.ids.get(id);
    if (known === undefined) return false;
    if (known.until > this.#time.ms) return true;
    this.#stream.ids.delete(id);
    return false;
  }

  #checkTtl(headers: string, isBatch: boolean): void {
    const text = headerOf(headers, "Nats-TTL");
    if (text === "") return;
    const ttl = ttlOf(headers);
    const isStrict = isBatch || this.#isReplicated;
    if (this.#stream.config.allow_msg_ttl !== true) {
      if (ttl !== undefined ? ttl !== 0 : isStrict) throw new Refused(ApiErrors.noTtl);
    } else if (isStrict && ttl === undefined) throw new Refused(ApiErrors.badTtl);
  }

  #checkId(headers: string): void {
    const id = headerOf(headers, "Nats-Msg-Id");
    if (id === "") return;
    if (this.#knownId(id) || this.#ids.some(([other]) => other === id)) {
      throw new Refused(ApiErrors.duplicateInBatch);
    }
  }

  #checkLast(headers: string, isBatch: boolean): void {
    const text = headerOf(headers, "Nats-Expected-Last-Sequence");
    if (text === "") return;
    const last = this.#next - 1;
    if (numberOf(text) !== last) throw new Refused(wrongLast(last));
    if (isBatch && this.#subjects.length > 0) throw new Refused(ApiErrors.wrongSequence);
  }

  #checkSubject({ subject, headers }: WireMessage, isBatch: boolean): void {
    const { store, proposals } = this.#stream;
    const text = headerOf(headers, "Nats-Expected-Last-Subject-Sequence");
    const other = headerOf(headers, "Nats-Expected-Last-Subject-Sequence-Subject");
    if (text === "") {
      if (other !== "") throw new Refused(ApiErrors.noExpectedSequence);
      return;
    }
    const sought = other === "" ? subject : other;
    if (isBatch && this.#subjects.includes(sought)) throw new Refused(ApiErrors.wrongSequence);
    // The leader does not know yet what becomes of what is proposed.
    if (proposals.some(({ subjects }) => subjects.includes(sought))) {
      throw new Refused(ApiErrors.wrongSequence);
    }
    const last = store.last(sought)?.sequence ?? 0;
    if (last !== numberOf(text)) throw new Refused(wrongLast(last));
  }

  #checkRollup({ subject, headers }: WireMessage, isBatch: boolean): void {
    const rollup = headerOf(headers, "Nats-Rollup");
    if (rollup === "") return;
    const { config } = this.#stream;
    if (!config.allow_rollup_hdrs || config.deny_purge) {
      throw new Refused(rollupFailed("rollup not permitted"));
    }
    if (rollup === "sub") {
      if (isBatch && this.#subjects.includes(subject)) {
        throw new Refused(rollupFailed("batch rollup sub invalid"));
      }
    } else if (rollup === "all") {
      if (isBatch && this.#subjects.length > 0) {
        throw new Refused(rollupFailed("batch rollup all invalid"));
      }
    } else throw new Refused(rollupFailed(`rollup value invalid: ${JSON.stringify(rollup)}`));
  }

  #checkRoom(message: Stored, isRollup: boolean, held: number): void {
    const { store, config } = this.#stream;
    const { max_msgs, max_bytes, max_msgs_per_subject: max } = config;
    const replaces = max > 0 && held >= max;
    if (replaces && config.discard_new_per_subject === true && !isRollup) {
      throw new Refused(storeFailed("maximum messages per subject exceeded"));
    }
    if (max_msgs > 0 && store.messages.size + this.#messages > max_msgs && !replaces) {
      throw new Refused(storeFailed("maximum messages exceeded"));
    }
    if (max_bytes > 0 && store.bytes + this.#bytes > max_bytes) {
      const [first = 0] = store.subjects.get(message.subject) ?? [];
      const old = store.messages.get(first);
      const fits = replaces && old !== undefined && store.sizeOf(old) >= store.sizeOf(message);
      if (!fits) throw new Refused(storeFailed("maximum bytes exceeded"));
    }
  }
}

/** Reads a sequence as nats-server does. */
function numberOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : -1;
}

/** Returns the seconds for which a message lives, 0 for ever, -1 if it says so; undefined if the header makes no sense. */
function ttlOf(headers: string): number | undefined {
  const text = headerOf(headers, "Nats-TTL");
  if (text === "") return 0;
  if (text.toLowerCase() === "never") return -1;
  if (/^\d+$/.test(text)) return Number(text) === 0 ? undefined : Number(text);
  const duration = parseDuration(text);
  if (duration === undefined || duration < 1e9) return undefined;
  return Math.floor(duration / 1e9);
}

/** Checks the length of a block of headers. */
export function isTooLong(headers: string): boolean {
  return headers.length > MAX_HEADERS;
}
