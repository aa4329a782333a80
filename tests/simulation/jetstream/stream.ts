/**
 * A stream: its copies, and the changes that have no majority yet.
 * @module
 */

import type { StagedBatch } from "./atomic_batch.ts";
import type { Consumer } from "./consumer.ts";
import { Copy } from "./copy.ts";
import { fileSize, memorySize, MessageStore, type StoreChange } from "./message_store.ts";
import type { ServerClock } from "./server_clock.ts";
import type { Config } from "./stream_config.ts";
import type { StoredTime } from "./stored_time.ts";
import { type Matcher, matcherOf } from "./subject_filter.ts";
import { headerOf } from "./wire.ts";

/** A change that was proposed and has no majority yet. */
export type Proposal = {
  readonly changes: readonly StoreChange[];
  /** Ids of the messages. */
  readonly ids: readonly (readonly [id: string, sequence: number])[];
  /** Subjects of the messages, and those whose last sequence they expect. */
  readonly subjects: readonly string[];
  readonly expected: readonly string[];
  /** Tells the client. It gets the number of messages that the changes removed. */
  readonly committed: (removed: number) => void;
};

/** A stream. */
export class Stream {
  readonly created: StoredTime;
  /** The leader's, then those of its followers. */
  readonly copies: Copy[];
  readonly proposals: Proposal[] = [];
  readonly consumers = new Map<string, Consumer>();
  readonly batches = new Map<string, StagedBatch>();
  /** Sequences by the ids of messages, and when they are forgotten. */
  readonly ids = new Map<string, { readonly sequence: number; readonly until: number }>();
  lastId = "";
  /** Milliseconds since 1970 until which there is no leader. */
  leaderless = 0;
  /** Of a mirror: milliseconds by which it is behind, and when its last message will have arrived. */
  mirrorLag = 0;
  mirrored = 0;
  readonly #clock: ServerClock;
  readonly #leader: Copy;
  #config: Config;
  #matchers: readonly Matcher[] = [];
  /** What was on disk at the last sync, and the changes since. */
  #synced: MessageStore;
  #unsynced: StoreChange[] = [];

  constructor(clock: ServerClock, config: Config, created: StoredTime) {
    this.#clock = clock;
    this.#config = config;
    this.created = created;
    const size = config.storage === "memory" ? memorySize : fileSize;
    const store = new MessageStore(size, config.first_seq ?? 1);
    this.#synced = store.clone();
    this.#leader = new Copy(clock, store);
    this.copies = [this.#leader];
    this.configure(config);
  }

  get config(): Config {
    return this.#config;
  }

  /** The leader's messages. */
  get store(): MessageStore {
    return this.#leader.store;
  }

  /** Changes the configuration, and the number of copies with it. */
  configure(config: Config): void {
    this.#config = config;
    this.#matchers = (config.subjects ?? []).map(matcherOf);
    while (this.copies.length > config.num_replicas) this.copies.pop();
    while (this.copies.length < config.num_replicas) {
      this.copies.push(new Copy(this.#clock, this.store.clone()));
    }
  }

  /** Tells whether it stores what is published to a subject. */
  takes(subject: string): boolean {
    for (const matches of this.#matchers) if (matches(subject)) return true;
    return false;
  }

  /** Makes a change that has a majority. Returns the number of messages that it removed. */
  commit(change: StoreChange): number {
    this.#unsynced.push(change);
    const removed = this.#leader.change(change).length;
    for (let i = 1; i < this.copies.length; i++) this.copies[i]?.change(change);
    return removed;
  }

  /** Lets all consumers deliver, after changes that belong together. */
  deliver(): void {
    for (const copy of this.copies) copy.deliver();
  }

  /** Removes a consumer. */
  end(consumer: Consumer): void {
    consumer.end();
    this.consumers.delete(consumer.config.name);
    for (const copy of this.copies) copy.consumers.delete(consumer);
  }

  /** Marks everything as on disk. */
  sync(): void {
    for (const change of this.#unsynced) this.#synced.apply(change);
    this.#unsynced = [];
  }

  /**
   * Takes the last changes back that were not on disk.
   *
   * @param share Of these changes, those that survive: 0 to 1.
   * @returns the number of changes that were lost
   */
  loseTail(share: number): number {
    const kept = Math.floor(this.#unsynced.length * share);
    const lost = this.#unsynced.length - kept;
    if (lost === 0) return 0;
    this.#unsynced.length = kept;
    this.sync();
    this.#leader.store = this.#synced.clone();
    const { lastSequence } = this.store;
    for (const [id, { sequence }] of this.ids) if (sequence > lastSequence) this.ids.delete(id);
    this.lastId = headerOf(this.store.messages.get(lastSequence)?.headers ?? "", "Nats-Msg-Id");
    return lost;
  }
}
