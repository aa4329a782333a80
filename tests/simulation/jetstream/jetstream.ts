/**
 * JetStream in memory, for simulations: it answers what a nats-server of 2.15 answers, with its clock, its randomness and
 * its network given. It is held to a real one by `differential_test.ts`.
 *
 * Not modelled: limits of accounts and servers, templates, sources, transforms, republishing, counters, schedules, fast
 * batches, consumers that acknowledge or that are named in advance, retention other than limits, delete markers,
 * deleted_details, permissions, advisories. Calls that need one of these answer the error 19999, and never a guess.
 * @module
 */

import { ApiErrors, Refused } from "./api_errors.ts";
import { directGet } from "./gets.ts";
import { overLimit } from "./message_store.ts";
import { publish } from "./publish.ts";
import type { ApiContext } from "./api_call.ts";
import { CALLS, refusal } from "./api_calls.ts";
import type { StoreChange } from "./message_store.ts";
import type { Proposal, Stream } from "./stream.ts";
import type { StoredTime } from "./stored_time.ts";
import { matcherOf } from "./subject_filter.ts";
import { documentOf, jsonMessage, statusMessage, type WireMessage } from "./wire.ts";

/** The server's clock. */
export type ServerClock = {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Runs something later and returns a function that cancels it. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
};

/** What the server is given. */
export type JetStreamOptions = {
  readonly clock: ServerClock;
  /** Returns a number of at least 0 and below 1. */
  readonly random: () => number;
  /** Receives everything that the server publishes. */
  readonly send: (message: WireMessage) => void;
  /** Tells whether somebody subscribes to a subject. */
  readonly hasInterest: (subject: string) => boolean;
  /** Whether there are several servers; one by default. */
  readonly isCluster?: boolean;
  /** Milliseconds between a proposal and its majority, in a stream of several copies; 1 by default. */
  readonly majority?: () => number;
};

const API = "$JS.API.";
const DIRECT = "$JS.API.DIRECT.GET.";
const NEXT = "$JS.API.CONSUMER.MSG.NEXT.";
const FLOW = "$JS.FC.";
const TYPE = "io.nats.jetstream.api.v1.";
/** Milliseconds between two searches for messages that have expired. */
const EXPIRY = 250;

/** JetStream in memory. */
export class JetStream {
  readonly #options: JetStreamOptions;
  readonly #streams = new Map<string, Stream>();
  readonly #context: ApiContext;
  /** Streams by the subjects that were published; emptied when a stream changes. */
  readonly #owners = new Map<string, Stream | undefined>();
  #lastTime: StoredTime = { ms: 0, ns: 0 };

  constructor(options: JetStreamOptions) {
    this.#options = options;
    const { clock, send, hasInterest, isCluster = false } = options;
    this.#context = {
      isCluster,
      streams: this.#streams,
      send,
      hasInterest,
      after: clock.after,
      now: () => this.#now(),
      propose: (stream, proposal) => this.#propose(stream, proposal),
      changed: () => this.#owners.clear(),
    };
  }

  /** The names of all streams. */
  get names(): readonly string[] {
    return [...this.#streams.keys()];
  }

  /** Returns a stream, for checks that clients cannot make. */
  stream(name: string): Stream | undefined {
    return this.#streams.get(name);
  }

  /** Takes what a client published. Returns false if nobody listens to its subject. */
  receive(message: WireMessage): boolean {
    const { subject } = message;
    if (subject.startsWith(DIRECT)) return this.#directGet(message);
    if (subject.startsWith(NEXT)) return this.#pull(message);
    if (subject.startsWith(API)) return this.#call(message);
    if (subject.startsWith(FLOW)) return this.#confirm(subject);
    const stream = this.#ownerOf(subject);
    if (stream === undefined) return false;
    if (stream.leaderless <= this.#options.clock.now()) publish(this.#context, stream, message);
    return true;
  }

  /** Tells consumers that a client has subscribed. */
  subscribed(subject: string): void {
    for (const { consumers } of this.#streams.values()) {
      for (const consumer of consumers.values()) {
        if (consumer.config.deliver_subject === subject) consumer.deliver();
      }
    }
  }

  /**
   * Ends a leader's term: what it proposed and had no majority for survives in part, unacknowledged.
   *
   * @param milliseconds The time until the next leader works.
   * @returns the number of proposals that were lost
   */
  electLeader(name: string, milliseconds: number): number {
    const stream = this.#streams.get(name);
    if (stream === undefined) return 0;
    const proposals = stream.proposals.splice(0);
    const kept = Math.floor(this.#options.random() * (proposals.length + 1));
    for (const proposal of proposals.slice(0, kept)) {
      this.#commit(stream, { ...proposal, committed: () => {} });
    }
    stream.batches.clear();
    stream.leaderless = this.#options.clock.now() + milliseconds;
    return proposals.length - kept;
  }

  /** Lets a copy, from 1 on, be this many milliseconds behind from now on; of a mirror, all of it. */
  setLag(name: string, copy: number, milliseconds: number): void {
    const stream = this.#streams.get(name);
    if (stream?.config.mirror !== undefined) stream.mirrorLag = milliseconds;
    const follower = stream?.followers[copy - 1];
    if (follower !== undefined) follower.lag = milliseconds;
  }

  /**
   * Stops and starts the server. Consumers and batches are gone; streams of one copy may lose what was not on disk.
   *
   * @returns the number of changes that were lost
   */
  restart({ losesTail }: { readonly losesTail: boolean }): number {
    let lost = 0;
    for (const stream of this.#streams.values()) {
      for (const consumer of stream.consumers.values()) consumer.end();
      stream.consumers.clear();
      stream.batches.clear();
      stream.proposals.splice(0);
      if (losesTail && stream.config.num_replicas === 1) {
        lost += stream.loseTail(this.#options.random());
        // What had expired since the last sync is back, and expires again.
        for (const message of stream.store.messages.values()) {
          if (message.expires > 0) this.#expire(stream, message);
        }
      }
    }
    return lost;
  }

  /** Writes everything to disk. */
  sync(): void {
    for (const stream of this.#streams.values()) stream.sync();
  }

  #now(): StoredTime {
    const ms = Math.floor(this.#options.clock.now());
    const { ms: lastMs, ns } = this.#lastTime;
    // No two messages have the same time.
    this.#lastTime = ms > lastMs ? { ms, ns: 1 } : { ms: lastMs, ns: ns + 1 };
    return this.#lastTime;
  }

  #ownerOf(subject: string): Stream | undefined {
    if (this.#owners.has(subject)) return this.#owners.get(subject);
    const found = [...this.#streams.values()].find(({ config: { subjects = [] } }) =>
      subjects.some((filter) => matcherOf(filter)(subject))
    );
    if (this.#owners.size > 10_000) this.#owners.clear();
    this.#owners.set(subject, found);
    return found;
  }

  #propose(stream: Stream, proposal: Proposal): void {
    if (stream.config.num_replicas === 1) {
      this.#commit(stream, proposal);
      return;
    }
    stream.proposals.push(proposal);
    this.#options.clock.after(this.#options.majority?.() ?? 1, () => {
      // An election may have decided about it already; what was proposed before comes first.
      const index = stream.proposals.indexOf(proposal);
      if (index < 0) return;
      for (const one of stream.proposals.splice(0, index + 1)) this.#commit(stream, one);
    });
  }

  #commit(stream: Stream, { changes, ids, committed }: Proposal): void {
    const { ms } = this.#now();
    for (const change of changes) {
      stream.commit([change], ms);
      // Limits are enforced message by message, before what a rollup removes.
      if (change.kind === "store") stream.commit(overLimit(stream.store, stream.config), ms);
    }
    const window = stream.config.duplicate_window / 1e6;
    for (const [id, sequence] of ids) stream.ids.set(id, { sequence, until: ms + window });
    if (changes.some(({ kind }) => kind === "store")) stream.lastId = ids.at(-1)?.[0] ?? "";
    for (const change of changes) {
      if (change.kind === "store" && change.message.expires > 0) {
        this.#expire(stream, change.message);
      }
    }
    this.#mirror(stream, changes);
    committed();
  }

  #expire(
    stream: Stream,
    { sequence, expires }: { readonly sequence: number; readonly expires: number },
  ): void {
    const wait = Math.max(0, expires - this.#options.clock.now()) + this.#options.random() * EXPIRY;
    this.#options.clock.after(wait, () => {
      if (this.#streams.get(stream.config.name) !== stream) return;
      if (stream.store.messages.get(sequence)?.expires !== expires) return;
      stream.commit([{ kind: "remove", sequences: [sequence] }], this.#options.clock.now());
    });
  }

  /** Mirrors copy messages, and nothing that removes them. */
  #mirror(origin: Stream, changes: readonly { readonly kind: string }[]): void {
    for (const mirror of this.#streams.values()) {
      if (mirror.config.mirror?.name !== origin.config.name) continue;
      const { filter_subject = "" } = mirror.config.mirror;
      const matches = matcherOf(filter_subject);
      for (const change of changes as readonly StoreChange[]) {
        if (change.kind !== "store" || !matches(change.message.subject)) continue;
        this.#mirrorLater(mirror, change);
      }
    }
  }

  #mirrorLater(mirror: Stream, change: StoreChange): void {
    const { clock } = this.#options;
    if (mirror.mirrorLag === 0 && mirror.mirrored === 0) {
      mirror.commit([change], clock.now());
      return;
    }
    // In the order of the origin, also if the lag has become shorter.
    mirror.mirrored = Math.max(mirror.mirrored + 1e-3, clock.now() + mirror.mirrorLag);
    clock.after(mirror.mirrored - clock.now(), () => {
      if (this.#streams.get(mirror.config.name) === mirror) mirror.commit([change], clock.now());
    });
  }

  #directGet(message: WireMessage): boolean {
    const [name = "", ...rest] = message.subject.slice(DIRECT.length).split(".");
    const stream = this.#streams.get(name);
    if (stream === undefined || !stream.config.allow_direct) return false;
    if (message.reply === "") return true;
    const copies = 1 + stream.followers.length;
    const now = this.#options.clock.now();
    const mirrors = [...this.#streams.values()].filter(({ config }) =>
      config.mirror?.name === name && config.mirror_direct
    );
    const chosen = Math.floor(this.#options.random() * (copies + mirrors.length));
    const mirror = mirrors[chosen - copies];
    const store = mirror === undefined ? stream.copy(chosen, now) : mirror.store;
    const key = rest.join(".");
    const document = key === "" ? documentOf(message) : { last_by_subj: key };
    const holder = mirror?.config.name ?? name;
    for (const answer of directGet(holder, store, document, message.reply)) {
      this.#options.send(answer);
    }
    return true;
  }

  #pull(message: WireMessage): boolean {
    const [stream = "", name = ""] = message.subject.slice(NEXT.length).split(".");
    const consumer = this.#streams.get(stream)?.consumers.get(name);
    if (consumer === undefined) return false;
    consumer.pull(message.reply, (documentOf(message) ?? {}) as Readonly<Record<string, unknown>>);
    return true;
  }

  #confirm(subject: string): boolean {
    const [stream = "", name = ""] = subject.slice(FLOW.length).split(".");
    const consumer = this.#streams.get(stream)?.consumers.get(name);
    consumer?.confirm(subject);
    return consumer !== undefined;
  }

  #call(message: WireMessage): boolean {
    const { subject, reply } = message;
    const tokens = subject.slice(API.length).split(".");
    if (subject === `${API}INFO`) {
      this.#options.send(jsonMessage(reply, { type: `${TYPE}account_info_response`, ...ACCOUNT }));
      return true;
    }
    const length = tokens[1] === "MSG" ? 3 : 2;
    const call = CALLS[tokens.slice(0, length).join(".")];
    if (call === undefined) return false;
    const respond = (fields: Readonly<Record<string, unknown>>): void => {
      if (reply !== "") {
        this.#options.send(jsonMessage(reply, { type: `${TYPE}${call.type}`, ...fields }));
      }
    };
    const names = tokens.slice(length);
    const stream = this.#streams.get(names[0] ?? "");
    if (stream !== undefined && stream.leaderless > this.#options.clock.now()) {
      respond(refusal(call, ApiErrors.unavailable));
      return true;
    }
    try {
      call.run(this.#context, names, documentOf(message), respond);
    } catch (cause) {
      if (!(cause instanceof Refused)) throw cause;
      respond(refusal(call, cause.error));
    }
    return true;
  }
}

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

/** Returns the answer of a server if nobody listens to a subject. */
export function noResponders({ subject, reply }: WireMessage): WireMessage {
  return statusMessage(reply, "503", { "Nats-Subject": subject });
}
