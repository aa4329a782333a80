/**
 * One copy of a stream's messages. It changes by {@linkcode StoreChange}s alone, each of which does the same on every copy.
 * @module
 */

import { isLiteral, type Matcher, matcherOf } from "./subject_filter.ts";
import type { StoredTime } from "./stored_time.ts";

/** A message that a stream holds. It never changes. */
export type Stored = {
  readonly sequence: number;
  readonly subject: string;
  readonly headers: string;
  readonly data: Uint8Array;
  readonly time: StoredTime;
  /** Seconds that it lives, 0 if it does not say, -1 for ever. */
  readonly ttl: number;
  /** What it replaces: "sub", "all" or "". */
  readonly rollup: string;
};

/** A change of a stream's messages. */
export type StoreChange =
  | { readonly kind: "store"; readonly message: Stored }
  | { readonly kind: "remove"; readonly sequences: readonly number[] }
  /** Removes the messages of a subject, or all, below the one that was just stored. */
  | { readonly kind: "rollup"; readonly subject: string | undefined; readonly sequence: number }
  /** Removes the messages that a filter selects: those below a sequence, or all without the last ones to keep. */
  | {
    readonly kind: "purge";
    readonly filter: string;
    readonly below: number | undefined;
    readonly keep: number;
  };

/** Bytes that nats-server counts for a message. */
export type SizeOf = (message: Sized) => number;

/** The parts of a message that have a size. */
export type Sized = Pick<Stored, "subject" | "headers" | "data">;

/** The size of a message in a file. */
export function fileSize({ subject, headers, data }: Sized): number {
  return 30 + subject.length + data.length + (headers === "" ? 0 : 4 + headers.length);
}

/** The size of a message in memory. */
export function memorySize({ subject, headers, data }: Sized): number {
  return 16 + subject.length + data.length + headers.length;
}

const NONE: readonly Stored[] = [];

/** One copy of a stream's messages. */
export class MessageStore {
  readonly sizeOf: SizeOf;
  /** By sequence, in rising order. */
  readonly messages = new Map<number, Stored>();
  /** Sequences of each subject, in rising order. */
  readonly subjects = new Map<string, number[]>();
  /** Sequences in rising order, with some that are gone. */
  #order: number[] = [];
  bytes = 0;
  firstSequence: number;
  lastSequence: number;
  lastTime: StoredTime | undefined;
  /** Whether everything was purged at some time. */
  isCompacted = false;

  /** @param first Sequence of the first message. */
  constructor(sizeOf: SizeOf, first: number) {
    this.sizeOf = sizeOf;
    this.firstSequence = first;
    this.lastSequence = first - 1;
  }

  /** Returns a copy that changes apart from this one. */
  clone(): MessageStore {
    const copy = new MessageStore(this.sizeOf, this.firstSequence);
    for (const message of this.messages.values()) {
      copy.messages.set(message.sequence, message);
      copy.#order.push(message.sequence);
    }
    for (const [subject, list] of this.subjects) copy.subjects.set(subject, [...list]);
    copy.bytes = this.bytes;
    copy.lastSequence = this.lastSequence;
    copy.lastTime = this.lastTime;
    copy.isCompacted = this.isCompacted;
    return copy;
  }

  /** Makes a change. Returns the messages that it removed. */
  apply(change: StoreChange): readonly Stored[] {
    switch (change.kind) {
      case "store":
        this.#store(change.message);
        return NONE;
      case "remove":
        return this.#removeAll(change.sequences);
      case "rollup": {
        const { subject, sequence } = change;
        if (subject === undefined) return this.#compact(sequence);
        const list = this.subjects.get(subject) ?? [];
        return list.length < 2 ? NONE : this.#removeAll(list.filter((one) => one < sequence));
      }
      case "purge":
        return this.#purge(change);
    }
  }

  /** Returns the last message that a filter selects. A filter for everything finds nothing if the last one was deleted. */
  last(filter: string): Stored | undefined {
    if (filter === "" || filter === ">") return this.messages.get(this.lastSequence);
    if (isLiteral(filter)) return this.messages.get(this.subjects.get(filter)?.at(-1) ?? 0);
    let found = 0;
    for (const list of this.#lists(filter)) found = Math.max(found, list.at(-1) ?? 0);
    return this.messages.get(found);
  }

  /** Returns the first message from a sequence on whose subject matches: all in turn, because most filters match many. */
  find(from: number, matches: Matcher): Stored | undefined {
    for (let i = lowerBound(this.#order, from); i < this.#order.length; i++) {
      const message = this.messages.get(this.#order[i] ?? 0);
      if (message !== undefined && matches(message.subject)) return message;
    }
    return undefined;
  }

  /** Returns the first message from a sequence on that a filter selects. */
  next(from: number, filter: string): Stored | undefined {
    if (!isLiteral(filter)) return this.find(from, matcherOf(filter));
    const list = this.subjects.get(filter) ?? [];
    return this.messages.get(list[lowerBound(list, from)] ?? 0);
  }

  /** Returns the number of messages from a sequence on whose subject matches. */
  count(from: number, matches: Matcher): number {
    let count = 0;
    for (const [subject, list] of this.subjects) {
      if (matches(subject)) count += list.length - lowerBound(list, from);
    }
    return count;
  }

  /** Returns the sequences of the messages that a filter selects, in rising order. */
  sequencesOf(filter: string): number[] {
    return [...this.#lists(filter)].flat().sort((a, b) => a - b);
  }

  /** Returns the last sequence of each subject that a filter selects. */
  *lastsOf(filter: string): Generator<number> {
    for (const list of this.#lists(filter)) yield list.at(-1) ?? 0;
  }

  *#lists(filter: string): Generator<readonly number[]> {
    if (filter !== "" && isLiteral(filter)) {
      const list = this.subjects.get(filter);
      if (list !== undefined) yield list;
      return;
    }
    const matches: Matcher = matcherOf(filter);
    for (const [subject, list] of this.subjects) if (matches(subject)) yield list;
  }

  #store(message: Stored): void {
    const { sequence, subject } = message;
    if (this.messages.size === 0) this.firstSequence = sequence;
    this.messages.set(sequence, message);
    this.#order.push(sequence);
    const list = this.subjects.get(subject);
    if (list === undefined) this.subjects.set(subject, [sequence]);
    else list.push(sequence);
    this.bytes += this.sizeOf(message);
    this.lastSequence = sequence;
    this.lastTime = message.time;
  }

  #purge({ filter, below, keep }: Extract<StoreChange, { kind: "purge" }>): readonly Stored[] {
    const isWhole = filter === "" || filter === ">";
    if (isWhole && keep === 0) return this.#compact(below ?? this.lastSequence + 1);
    const found = this.sequencesOf(filter);
    return this.#removeAll(
      below === undefined
        ? found.slice(0, Math.max(0, found.length - keep))
        : found.filter((sequence) => sequence < below),
    );
  }

  #removeAll(sequences: readonly number[]): readonly Stored[] {
    const removed: Stored[] = [];
    for (const sequence of sequences) {
      const message = this.messages.get(sequence);
      if (message === undefined) continue;
      removed.push(message);
      this.#remove(message);
    }
    return removed;
  }

  #remove(message: Stored): void {
    const { sequence } = message;
    this.messages.delete(sequence);
    const list = this.subjects.get(message.subject) ?? [];
    if (list.length === 1) this.subjects.delete(message.subject);
    else list.splice(lowerBound(list, sequence), 1);
    this.bytes -= this.sizeOf(message);
    if (sequence === this.firstSequence) this.#findFirst();
    else if (this.#order.length > 2 * this.messages.size + 64) {
      this.#order = this.#order.filter((one) => this.messages.has(one));
    }
  }

  /** Removes all below a sequence, which the next message may have. */
  #compact(sequence: number): readonly Stored[] {
    if (sequence <= this.firstSequence && this.messages.size > 0) return NONE;
    if (sequence > this.lastSequence) {
      const removed = [...this.messages.values()];
      this.isCompacted = true;
      this.messages.clear();
      this.#order = [];
      this.subjects.clear();
      this.bytes = 0;
      this.firstSequence = sequence;
      this.lastSequence = sequence - 1;
      return removed;
    }
    const removed = this.#removeAll(this.#order.slice(0, lowerBound(this.#order, sequence)));
    this.#findFirst();
    return removed;
  }

  #findFirst(): void {
    const order = this.#order;
    let gone = 0;
    while (gone < order.length && !this.messages.has(order[gone] ?? 0)) gone++;
    this.firstSequence = order[gone] ?? this.lastSequence + 1;
    if (gone > 0) order.splice(0, gone);
  }
}

/** Returns the index of the first number that is not below another. */
function lowerBound(list: readonly number[], from: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
