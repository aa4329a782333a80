/**
 * The conditions of a publish, in the order in which nats-server checks them.
 * @module
 */

import {
  ApiErrors,
  Refused,
  rollupFailed,
  storeFailed,
  wrongLast,
  wrongLastId,
} from "./api_errors.ts";
import type { StoreChange, Stored } from "./message_store.ts";
import type { Proposal, Stream } from "./stream.ts";
import { numberOf, ttlOf } from "./publish_headers.ts";
import type { StoredTime } from "./stored_time.ts";
import { headerOf, type WireMessage } from "./wire.ts";

/** Messages that are checked and not yet proposed: one, or those of a batch. */
export class Staged {
  readonly #stream: Stream;
  readonly #time: StoredTime;
  readonly #changes: StoreChange[] = [];
  readonly #subjects: string[] = [];
  readonly #expected: string[] = [];
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
  add({ subject, headers, data }: WireMessage, isBatch: boolean): Stored {
    const { store, config } = this.#stream;
    const rollup = headerOf(headers, "Nats-Rollup");
    const ttl = ttlOf(headers);
    if (ttl === undefined) throw new Refused(ApiErrors.badTtl);
    const sequence = this.#next++;
    const message: Stored = {
      sequence,
      subject,
      headers,
      data,
      time: this.#time,
      ttl,
      rollup,
    };
    this.#messages++;
    this.#bytes += store.sizeOf(message);
    if (config.discard === "new") {
      if (isBatch || this.#isReplicated) this.#checkRoomAhead(message);
      else this.#checkRoom(message);
    }
    this.#changes.push({ kind: "store", message });
    this.#subjects.push(subject);
    const id = headerOf(headers, "Nats-Msg-Id");
    if (id !== "") this.#ids.push([id, sequence]);
    if (rollup === "sub") this.#changes.push({ kind: "rollup", subject, sequence });
    else if (rollup === "all") this.#changes.push({ kind: "rollup", subject: undefined, sequence });
    return message;
  }

  /** Returns what is to be proposed. */
  proposal(committed: () => void): Proposal {
    return {
      committed,
      changes: this.#changes,
      ids: this.#ids,
      subjects: this.#subjects,
      expected: this.#expected,
    };
  }

  get #isReplicated(): boolean {
    return this.#stream.config.num_replicas > 1;
  }

  #knownId(id: string): boolean {
    if (this.#stream.proposals.some(({ ids }) => ids.some(([other]) => other === id))) {
      throw new Refused(ApiErrors.duplicateConflict);
    }
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
    const isUnderWay = proposals.some(({ subjects, expected }) =>
      subjects.includes(sought) || expected.includes(sought)
    );
    if (isUnderWay) throw new Refused(ApiErrors.wrongSequence);
    const last = store.last(sought)?.sequence ?? 0;
    if (last !== numberOf(text)) throw new Refused(wrongLast(last));
    this.#expected.push(sought);
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

  /** Checks the limits before there is a majority, with all that may be stored before. */
  #checkRoomAhead({ subject, rollup }: Stored): void {
    const { store, config, proposals } = this.#stream;
    const { max_msgs, max_bytes, max_msgs_per_subject: max } = config;
    if (max_msgs > 0 && store.messages.size + this.#messages > max_msgs) {
      throw new Refused(storeFailed("maximum messages exceeded"));
    }
    if (max_bytes > 0 && store.bytes + this.#bytes > max_bytes) {
      throw new Refused(storeFailed("maximum bytes exceeded"));
    }
    if (config.discard_new_per_subject !== true || max <= 0 || rollup !== "") return;
    let count = 1 + (store.subjects.get(subject)?.length ?? 0);
    for (const one of this.#subjects) if (one === subject) count++;
    for (const { subjects } of proposals) for (const one of subjects) if (one === subject) count++;
    if (count > max) throw new Refused(storeFailed("maximum messages per subject exceeded"));
  }

  #checkRoom(message: Stored): void {
    const { store, config } = this.#stream;
    const { max_msgs, max_bytes, max_msgs_per_subject: max } = config;
    const held = store.subjects.get(message.subject) ?? [];
    const replaces = max > 0 && held.length >= max;
    if (replaces && config.discard_new_per_subject === true && message.rollup === "") {
      throw new Refused(storeFailed("maximum messages per subject exceeded"));
    }
    if (max_msgs > 0 && store.messages.size + this.#messages > max_msgs && !replaces) {
      throw new Refused(storeFailed("maximum messages exceeded"));
    }
    if (max_bytes > 0 && store.bytes + this.#bytes > max_bytes) {
      const old = store.messages.get(held[0] ?? 0);
      const fits = replaces && old !== undefined && store.sizeOf(old) >= store.sizeOf(message);
      if (!fits) throw new Refused(storeFailed("maximum bytes exceeded"));
    }
  }
}

/** Checks the size of a message. Throws Refused. */
export function checkSize({ config }: Stream, { headers, data }: WireMessage): void {
  const { max_msg_size: max } = config;
  if (max >= 0 && headers.length + data.length > max) throw new Refused(ApiErrors.messageTooLarge);
}
