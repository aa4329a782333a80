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
  /** Milliseconds since 1970 at which it expires; 0 for never. */
  readonly expires: number;
};

/** A change of a stream's messages. */
export type StoreChange =
  | { readonly kind: "store"; readonly message: Stored }
  | { readonly kind: "remove"; readonly sequences: readonly number[] }
  /** Removes all below a sequence, which the next message may have. */
  | { readonly kind: "compact"; readonly sequence: number };

/** Bytes that nats-server counts for a message. */
export type SizeOf = (message: Pick<Stored, "subject" | "headers" | "data">) => number;

/** The size of a message in a file. */
export function fileSize({ subject, headers, data }: Parameters<SizeOf>[0]): number {
  return 30 + subject.length + data.length + (headers === "" ? 0 : 4 + headers.length);
}

/** The size of a message in memory. */
export function memorySize({ subject, headers, data }: Parameters<SizeOf>[0]): number {
  return 16 + subject.length + data.length + headers.length;
}

/** One copy of a stream's messages. */
export class MessageStore {
  readonly sizeOf: SizeOf;
  /** By sequence, in rising order. */
  readonly messages = new Map<number, Stored>();
  /** Sequences of each subject, in rising order. */
  readonly subjects = new Map<string, number[]>();
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
    for (const message of this.messages.values()) copy.messages.set(message.sequence, message);
    for (const [subject, list] of this.subjects) copy.subjects.set(subject, [...list]);
    copy.bytes = this.bytes;
    copy.lastSequence = this.lastSequence;
    copy.lastTime = this.lastTime;
    copy.isCompacted = this.isCompacted;
    return copy;
  }

  /** Makes a change. */
  apply(change: StoreChange): void {
    if (change.kind === "store") this.#store(change.message);
    else if (change.kind === "remove") { for (const seq of change.sequences) this.#remove(seq); }
    else this.#compact(change.sequence);
  }

  /** Returns the last message of a subject, which may have wildcards. */
  last(filter: string): Stored | undefined {
    let found = 0;
    for (const list of this.#lists(filter)) found = Math.max(found, list.at(-1) ?? 0);
    return this.messages.get(found);
  }

  /** Returns the first message from a sequence on that a filter selects. */
  next(from: number, filters: readonly string[]): Stored | undefined {
    let found = Infinity;
    for (const filter of filters) {
      for (const list of this.#lists(filter)) {
        if ((list.at(-1) ?? 0) < from) continue;
        const sequence = list[lowerBound(list, from)] ?? Infinity;
        if (sequence < found) found = sequence;
      }
    }
    return this.messages.get(found);
  }

  /** Returns the number of messages from a sequence on that some filter selects. */
  count(from: number, filters: readonly string[]): number {
    const matchers = filters.map(matcherOf);
    let count = 0;
    for (const [subject, list] of this.subjects) {
      if (matchers.some((matches) => matches(subject))) {
        count += list.length - lowerBound(list, from);
      }
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
    const list = this.subjects.get(subject);
    if (list === undefined) this.subjects.set(subject, [sequence]);
    else list.push(sequence);
    this.bytes += this.sizeOf(message);
    this.lastSequence = sequence;
    this.lastTime = message.time;
  }

  #remove(sequence: number): void {
    const message = this.messages.get(sequence);
    if (message === undefined) return;
    this.messages.delete(sequence);
    const list = this.subjects.get(message.subject) ?? [];
    if (list.length === 1) this.subjects.delete(message.subject);
    else list.splice(lowerBound(list, sequence), 1);
    this.bytes -= this.sizeOf(message);
    if (sequence === this.firstSequence) this.#findFirst();
  }

  #compact(sequence: number): void {
    if (sequence <= this.firstSequence && this.messages.size > 0) return;
    if (sequence > this.lastSequence) {
      this.isCompacted = true;
      this.messages.clear();
      this.subjects.clear();
      this.bytes = 0;
      this.firstSequence = sequence;
      this.lastSequence = sequence - 1;
      return;
    }
    for (const seq of [...this.messages.keys()]) if (seq < sequence) this.#remove(seq);
    this.#findFirst();
  }

  #findFirst(): void {
    const [first] = this.messages.keys();
    this.firstSequence = first ?? this.lastSequence + 1;
  }
}

/** The limits of a stream. */
export type Limits = {
  readonly discard: "old" | "new";
  readonly max_msgs: number;
  readonly max_bytes: number;
  readonly max_msgs_per_subject: number;
};

/** Returns the changes that remove what is beyond the limits, oldest first. */
export function overLimit(store: MessageStore, limits: Limits): readonly StoreChange[] {
  const { discard, max_msgs, max_bytes, max_msgs_per_subject: max } = limits;
  const gone = new Set<number>();
  if (max > 0) {
    for (const list of store.subjects.values()) {
      for (const sequence of list.slice(0, Math.max(0, list.length - max))) gone.add(sequence);
    }
  }
  if (discard === "old" && (max_msgs > 0 || max_bytes > 0)) {
    let left = store.messages.size - gone.size;
    let bytes = store.bytes;
    for (const sequence of gone) bytes -= sizeIn(store, sequence);
    for (const sequence of store.messages.keys()) {
      const isOver = (max_msgs > 0 && left > max_msgs) || (max_bytes > 0 && bytes > max_bytes);
      if (!isOver) break;
      if (gone.has(sequence)) continue;
      gone.add(sequence);
      left--;
      bytes -= sizeIn(store, sequence);
    }
  }
  return gone.size === 0 ? [] : [{ kind: "remove", sequences: [...gone] }];
}

function sizeIn(store: MessageStore, sequence: number): number {
  const message = store.messages.get(sequence);
  return message === undefined ? 0 : store.sizeOf(message);
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
