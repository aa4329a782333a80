/**
 * What happens to a change: it needs a majority, and a new message may push others out, expires and is mirrored.
 * @module
 */

import { overLimit, overSubjectLimit } from "./limits.ts";
import type { Stored } from "./message_store.ts";
import type { ServerClock } from "./server_clock.ts";
import type { Proposal, Stream } from "./stream.ts";
import { matcherOf } from "./subject_filter.ts";

/** What commits need of the server. */
export type CommitNeeds = {
  readonly clock: ServerClock;
  readonly random: () => number;
  readonly streams: ReadonlyMap<string, Stream>;
  /** Milliseconds between a proposal and its majority. */
  readonly majority: () => number;
};

/** Milliseconds between two searches for messages that have expired. */
const EXPIRY = 250;

/** Makes the changes of all streams. */
export class Commits {
  readonly #needs: CommitNeeds;

  constructor(needs: CommitNeeds) {
    this.#needs = needs;
  }

  /** Makes a change when it has a majority: at once if there is one copy. */
  propose(stream: Stream, proposal: Proposal): void {
    if (stream.config.num_replicas === 1) {
      this.#commit(stream, proposal);
      return;
    }
    stream.proposals.push(proposal);
    this.#needs.clock.after(this.#needs.majority(), () => {
      // An election may have decided about it already; what was proposed before comes first.
      const index = stream.proposals.indexOf(proposal);
      if (index < 0) return;
      for (const one of stream.proposals.splice(0, index + 1)) this.#commit(stream, one);
    });
  }

  /**
   * Decides about the proposals of a leader that has gone: the first ones survive, and no client gets an answer.
   *
   * @returns the number of proposals that were lost
   */
  decide(stream: Stream): number {
    const proposals = stream.proposals.splice(0);
    const kept = Math.floor(this.#needs.random() * (proposals.length + 1));
    for (const proposal of proposals.slice(0, kept)) {
      this.#commit(stream, { ...proposal, committed: () => {} });
    }
    return proposals.length - kept;
  }

  /** Sees to it that the messages of a stream expire. */
  expireAll(stream: Stream): void {
    if (stream.config.max_age === 0 && stream.config.allow_msg_ttl !== true) return;
    for (const message of stream.store.messages.values()) this.#expire(stream, message);
  }

  #commit(stream: Stream, { changes, ids, committed }: Proposal): void {
    let removed = 0;
    let stored = 0;
    for (const change of changes) {
      removed += stream.commit(change);
      if (change.kind !== "store") continue;
      stored = change.message.sequence;
      this.#stored(stream, change.message);
    }
    // That of the last message, which may have none.
    const [id, sequence] = ids.at(-1) ?? ["", 0];
    if (stored > 0) stream.lastId = sequence === stored ? id : "";
    if (ids.length > 0) {
      const until = this.#needs.clock.now() + stream.config.duplicate_window / 1e6;
      for (const [id, sequence] of ids) stream.ids.set(id, { sequence, until });
    }
    committed(removed);
    stream.deliver();
  }

  /** Enforces limits, message by message and before a rollup removes anything. */
  #stored(stream: Stream, message: Stored): void {
    const { store, config } = stream;
    for (const change of overSubjectLimit(store, config, message.subject)) stream.commit(change);
    for (const change of overLimit(store, config)) stream.commit(change);
    this.#expire(stream, message);
    for (const mirror of this.#needs.streams.values()) {
      if (mirror.config.mirror?.name === config.name) this.#mirror(stream, mirror, message);
    }
  }

  #expire(stream: Stream, message: Stored): void {
    const due = dueOf(stream, message);
    if (due === Infinity) return;
    const { clock, random, streams } = this.#needs;
    clock.after(Math.max(0, due - clock.now()) + random() * EXPIRY, () => {
      if (streams.get(stream.config.name) !== stream) return;
      // It may be gone, another one may have its sequence, or the stream may keep it longer now.
      if (stream.store.messages.get(message.sequence) !== message) return;
      if (dueOf(stream, message) > clock.now()) return;
      stream.commit({ kind: "remove", sequences: [message.sequence] });
    });
  }

  /** Mirrors copy messages and obey rollups; they keep what is removed in another way after they have copied it. */
  #mirror(origin: Stream, mirror: Stream, message: Stored): void {
    if (!matcherOf(mirror.config.mirror?.filter_subject ?? "")(message.subject)) return;
    const { clock, random, streams } = this.#needs;
    if (mirror.mirrorLag === 0 && mirror.mirrored <= clock.now()) {
      this.#copy(mirror, message);
      return;
    }
    // In the order of the origin, also if the lag has become shorter.
    mirror.mirrored = Math.max(mirror.mirrored + 1e-3, clock.now() + mirror.mirrorLag);
    clock.after(mirror.mirrored - clock.now(), () => {
      if (streams.get(mirror.config.name) !== mirror) return;
      // It copies what it was sent before the origin removed it.
      const isGone = !origin.store.messages.has(message.sequence);
      if (!isGone || random() < 0.5) this.#copy(mirror, message);
    });
  }

  #copy(mirror: Stream, message: Stored): void {
    const { sequence, subject, rollup } = message;
    mirror.commit({ kind: "store", message });
    this.#stored(mirror, message);
    if (rollup === "sub") mirror.commit({ kind: "rollup", subject, sequence });
    else if (rollup === "all") mirror.commit({ kind: "rollup", subject: undefined, sequence });
    mirror.deliver();
  }
}

/** Returns when a message expires, in milliseconds since 1970; Infinity for never. */
function dueOf({ config }: Stream, { time, ttl }: Stored): number {
  if (config.allow_msg_ttl === true && ttl !== 0) return ttl < 0 ? Infinity : time.ms + ttl * 1000;
  return config.max_age > 0 ? time.ms + config.max_age / 1e6 : Infinity;
}
