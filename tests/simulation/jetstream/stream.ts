/**
 * A stream: the copy of its leader, the changes that its followers apply later, and those that have no majority yet.
 * @module
 */

import type { Consumer } from "./consumer.ts";
import { fileSize, memorySize, MessageStore, type StoreChange } from "./message_store.ts";
import type { StagedBatch } from "./atomic_batch.ts";
import type { Config } from "./stream_config.ts";
import type { StoredTime } from "./stored_time.ts";

/** A change that was proposed and has no majority yet. */
export type Proposal = {
  readonly changes: readonly StoreChange[];
  /** Ids of the messages. */
  readonly ids: readonly (readonly [id: string, sequence: number])[];
  /** Subjects of the messages. */
  readonly subjects: readonly string[];
  /** Tells the client. */
  readonly committed: () => void;
};

/** A copy that applies changes later than the leader. */
type Follower = {
  store: MessageStore;
  /** Milliseconds by which it is behind. */
  lag: number;
  readonly late: { readonly at: number; readonly change: StoreChange }[];
};

/** A stream. */
export class Stream {
  config: Config;
  readonly created: StoredTime;
  store: MessageStore;
  readonly followers: Follower[] = [];
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
  /** What was on disk at the last sync, and the changes since. */
  #synced: MessageStore;
  #unsynced: StoreChange[] = [];

  constructor(config: Config, created: StoredTime) {
    this.config = config;
    this.created = created;
    const size = config.storage === "memory" ? memorySize : fileSize;
    this.store = new MessageStore(size, config.first_seq ?? 1);
    this.#synced = this.store.clone();
    this.resize();
  }

  /** Makes as many followers as the configuration asks for. */
  resize(): void {
    while (this.followers.length > this.config.num_replicas - 1) this.followers.pop();
    while (this.followers.length < this.config.num_replicas - 1) {
      this.followers.push({ store: this.store.clone(), lag: 0, late: [] });
    }
  }

  /** Makes changes that have a majority. */
  commit(changes: readonly StoreChange[], now: number): void {
    for (const change of changes) {
      this.store.apply(change);
      this.#unsynced.push(change);
      for (const follower of this.followers) follower.late.push({ at: now + follower.lag, change });
    }
    for (const consumer of this.consumers.values()) consumer.changed(changes);
  }

  /** Returns some copy, with what it has applied by now. */
  copy(index: number, now: number): MessageStore {
    const follower = this.followers[index - 1];
    if (follower === undefined) return this.store;
    let applied = 0;
    for (const { at, change } of follower.late) {
      if (at > now) break;
      follower.store.apply(change);
      applied++;
    }
    follower.late.splice(0, applied);
    return follower.store;
  }

  /** Marks everything as on disk. */
  sync(): void {
    this.#synced = this.store.clone();
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
    const store = this.#synced.clone();
    for (const change of this.#unsynced.slice(0, kept)) store.apply(change);
    this.store = store;
    this.sync();
    return lost;
  }
}
