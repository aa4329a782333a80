/**
 * JetStream in memory, for simulations: it answers what a nats-server of 2.15 answers, with its clock, its randomness and
 * its network given. It is held to a real one by `differential_test.ts`.
 *
 * Not modelled: limits of accounts and servers, templates, sources, transforms, republishing, counters, schedules, fast
 * batches, consumers that acknowledge, exist already or start elsewhere than at a sequence, pulls that wait,
 * retention other than limits, delete markers, deleted_details, up_to_seq, permissions, advisories. Calls that need one of
 * these answer the error 19999 or that nobody responds, and never a guess. A mirror begins with what its origin has at that
 * moment; one whose origin comes later stays empty. The account has no limits.
 * @module
 */

import type { ApiContext } from "./api_call.ts";
import { answerCall, API } from "./api_calls.ts";
import { Commits } from "./commits.ts";
import { directGet } from "./gets.ts";
import { publish } from "./publish.ts";
import type { ServerClock } from "./server_clock.ts";
import type { Stream } from "./stream.ts";
import type { StoredTime } from "./stored_time.ts";
import { documentOf, statusMessage, type WireMessage } from "./wire.ts";

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
  /** Tells whether a new consumer counts a message too many as pending, for good, as nats-server sometimes does. */
  readonly miscounts?: () => boolean;
};

const DIRECT = "$JS.API.DIRECT.GET.";
const NEXT = "$JS.API.CONSUMER.MSG.NEXT.";
const FLOW = "$JS.FC.";

/** JetStream in memory. */
export class JetStream {
  readonly #options: JetStreamOptions;
  readonly #streams = new Map<string, Stream>();
  readonly #context: ApiContext;
  readonly #commits: Commits;
  #lastTime: StoredTime = { ms: 0, ns: 0 };

  constructor(options: JetStreamOptions) {
    this.#options = options;
    const { clock, random, send, hasInterest, isCluster = false } = options;
    const { majority = () => 1, miscounts = () => false } = options;
    this.#commits = new Commits({ clock, random, streams: this.#streams, majority });
    this.#context = {
      isCluster,
      clock,
      random,
      streams: this.#streams,
      send,
      hasInterest,
      miscounts,
      now: () => this.#now(),
      propose: (stream, proposal) => this.#commits.propose(stream, proposal),
      expireAll: (stream) => this.#commits.expireAll(stream),
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
    if (subject.startsWith(API)) return answerCall(this.#context, message);
    if (subject.startsWith(FLOW)) return this.#confirm(subject);
    for (const stream of this.#streams.values()) {
      if (!stream.takes(subject)) continue;
      if (stream.leaderless <= this.#options.clock.now()) {
        publish(this.#context, stream, message);
        return true;
      }
      // It reaches a leader that is gone, or nobody listens to the subject.
      return this.#options.random() < 0.5;
    }
    return false;
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
    const lost = this.#commits.decide(stream);
    stream.batches.clear();
    stream.leaderless = this.#options.clock.now() + milliseconds;
    // Consumers have one copy, which may have been on the server that is gone.
    for (const consumer of [...stream.consumers.values()]) {
      if (this.#options.random() < 1 / stream.copies.length) stream.end(consumer);
    }
    return lost;
  }

  /** Lets a copy, from 1 on, be this many milliseconds behind from now on; of a mirror, all of it. */
  setLag(name: string, copy: number, milliseconds: number): void {
    const stream = this.#streams.get(name);
    if (stream?.config.mirror !== undefined) stream.mirrorLag = milliseconds;
    const follower = copy > 0 ? stream?.copies[copy] : undefined;
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
      for (const consumer of [...stream.consumers.values()]) stream.end(consumer);
      stream.batches.clear();
      stream.proposals.splice(0);
      if (losesTail && stream.config.num_replicas === 1) {
        lost += stream.loseTail(this.#options.random());
        // What had expired since the last sync is back, and expires again.
        this.#commits.expireAll(stream);
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

  #directGet(message: WireMessage): boolean {
    const rest = message.subject.slice(DIRECT.length);
    const dot = rest.indexOf(".");
    const name = dot < 0 ? rest : rest.slice(0, dot);
    const stream = this.#streams.get(name);
    if (stream === undefined || !stream.config.allow_direct) return false;
    if (message.reply === "") return true;
    const mirrors: Stream[] = [];
    for (const other of this.#streams.values()) {
      const { mirror, mirror_direct } = other.config;
      if (mirror_direct && mirror?.name === name) mirrors.push(other);
    }
    const { copies } = stream;
    const chosen = Math.floor(this.#options.random() * (copies.length + mirrors.length));
    const mirror = mirrors[chosen - copies.length];
    const store = mirror?.store ?? copies[chosen]?.store ?? stream.store;
    const document = dot < 0 ? documentOf(message) : { last_by_subj: rest.slice(dot + 1) };
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
}

/** Returns the answer of a server if nobody listens to a subject. */
export function noResponders({ subject, reply }: WireMessage): WireMessage {
  return statusMessage(reply, "503", { "Nats-Subject": subject });
}
