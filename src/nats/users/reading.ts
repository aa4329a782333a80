/**
 * One reading of the KV bucket: all its records, and then every change, as an ordered consumer delivers them.
 *
 * The records form a directory only at moments when the server had nothing left to send, so that a batch is seen as a whole.
 * After a lost connection the reading goes on if the message that it applied last is still there; otherwise the stream has
 * another history, that of a backup or of another stream, and everything is read again.
 * @module
 */

import { Directory } from "../../iam/directory.ts";
import type { ByteBudget } from "../../streams/byte_budget.ts";
import { startTimer, stopTimer } from "../../world/world.ts";
import { type Delivery, textOf } from "../jetstream/messages.ts";
import { OrderedConsumer } from "../jetstream/ordered_consumer.ts";
import type { Requests } from "../jetstream/requests.ts";
import { parseUserSubject, USERS_STREAM } from "../layout/user_subjects.ts";
import { parseUserRecord, type Secrets, type UserRecord } from "./record.ts";
import type { UsersState } from "./stream.ts";

/** What a reading works with. */
export type ReadingContext = {
  readonly requests: Requests;
  readonly budget: ByteBudget;
  readonly secrets: Secrets;
  /** Called with each record that cannot be read. */
  readonly unreadable: (subject: string, reason: string) => void;
};

/** Counts of a directory's access keys and records. */
export type ReadingCounts = {
  readonly usable: number;
  readonly locked: number;
  readonly outdated: number;
  readonly unreadable: number;
};

/** Everything that was read up to a moment when nothing was left. */
export type Snapshot = {
  /** Sequence of the last message, and when it was stored; 0 and "" if there is none. */
  readonly last: number;
  readonly lastStamp: string;
  readonly messages: number;
};

/** A record by its subject; undefined for one that was removed, or never was readable. */
type Records = Map<string, UserRecord | undefined>;

/** Reads until it is disposed. */
export class Reading implements Disposable {
  /** When the stream was created, in JetStream's words. */
  readonly created: string;
  readonly #context: ReadingContext;
  /** The end of a stream whose last message is gone. */
  #end: Pick<UsersState, "last" | "lastStamp"> | undefined;
  readonly #consumer: OrderedConsumer;
  #records: Records = new Map();
  /** Records of the time before everything is read again, for those that became unreadable. */
  #before: Records;
  #unreadable = new Set<string>();
  #last = 0;
  #lastStamp = "";
  #snapshot: Snapshot | undefined;
  #directory = new Directory();
  /** Whether the directory lacks changes of the last snapshot. */
  #isChanged = false;
  #failure: unknown;
  #waiters = new Set<() => void>();

  /** @param before An earlier reading of the same stream, whose records stand for those that became unreadable. */
  constructor(context: ReadingContext, created: string, before?: Reading) {
    this.#context = context;
    this.created = created;
    this.#before = new Map(before?.created === created ? before.#records : []);
    this.#consumer = new OrderedConsumer(context, {
      stream: USERS_STREAM,
      filters: [">"],
      from: () => this.#begin(),
      made: () => this.#prove(),
      lost: () => {},
      deliver: (delivery, pending) => {
        if (pending > 0) this.#build();
        this.#take(delivery);
        if (pending === 0) this.#complete();
      },
      caughtUp: () => this.#complete(),
      failed: (cause) => {
        this.#failure = cause;
      },
    });
  }

  /** The last moment at which nothing was left; undefined before the first. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** The reason why the consumer cannot go on; undefined if it can. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Sequence of the last message that was delivered. */
  get last(): number {
    return this.#last;
  }

  /** The directory of the last snapshot. */
  get directory(): Directory {
    this.#build();
    return this.#directory;
  }

  /** Returns the record of a subject. */
  record(subject: string): UserRecord | undefined {
    return this.#records.get(subject);
  }

  /** Returns whether a subject has a record that cannot be read. */
  isUnreadable(subject: string): boolean {
    return this.#unreadable.has(subject);
  }

  /** Returns all records that can be read. */
  records(): readonly UserRecord[] {
    return [...this.#records.values()].filter((record) => record !== undefined);
  }

  get counts(): ReadingCounts {
    let [usable, locked, outdated] = [0, 0, 0];
    for (const record of this.records()) {
      const { kind, value } = record.entity;
      if (kind === "account" || kind === "user") usable += value.keys.length;
      locked += record.locked;
      outdated += record.outdated;
    }
    return { usable, locked, outdated, unreadable: this.#unreadable.size };
  }

  /** Remembers that nothing is behind the last snapshot, although the leader reports a later sequence. */
  noteEnd(end: Pick<UsersState, "last" | "lastStamp">): void {
    this.#end = end;
  }

  /** Waits for the next snapshot, or for some milliseconds. */
  async next(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = (): void => {
        this.#waiters.delete(end);
        stopTimer(timer);
        resolve();
      };
      const timer = startTimer(Math.max(milliseconds, 0), end);
      this.#waiters.add(end);
    });
  }

  /** Returns whether the last snapshot is that of a state which the leader reported. */
  isAt({ created, last, lastStamp, messages, keepsOne }: UsersState): boolean {
    const { snapshot } = this;
    if (snapshot === undefined || created !== this.created) return false;
    if (keepsOne && snapshot.messages !== messages) return false;
    const end = this.#end ?? snapshot;
    // A stream without messages has a last sequence, too.
    return end.last === last ? end.lastStamp === lastStamp : snapshot.messages + messages === 0;
  }

  [Symbol.dispose](): void {
    this.#consumer[Symbol.dispose]();
    for (const end of [...this.#waiters]) end();
  }

  /** The server has nothing that was not taken. */
  get #isWhole(): boolean {
    return this.#snapshot !== undefined && this.#snapshot.last === this.#last;
  }

  /** Returns the first sequence of the next consumer. */
  #begin(): number {
    // A consumer of which only a part was delivered is not gone on with: its end is not known.
    if (this.#isWhole && this.#last > 0) return this.#last + 1;
    if (this.#records.size > 0) this.#before = this.#records;
    this.#records = new Map();
    this.#unreadable = new Set();
    this.#last = 0;
    this.#lastStamp = "";
    this.#snapshot = undefined;
    return 1;
  }

  /** Checks that the message that was applied last is still there. */
  async #prove(): Promise<boolean> {
    if (this.#last === 0) return true;
    const message = await this.#context.requests.leaderGet(USERS_STREAM, { seq: this.#last });
    if (message?.stamp === this.#lastStamp) return true;
    this.#snapshot = undefined;
    return false;
  }

  /** Makes the directory of the last snapshot, as long as nothing newer was delivered. */
  #build(): void {
    if (!this.#isChanged || !this.#isWhole) return;
    const lost = [...this.#unreadable].filter((subject) => this.#records.get(subject) === undefined)
      .map(parseUserSubject).filter((key) => key !== undefined);
    this.#directory = new Directory(this.records().map(({ entity }) => entity), lost);
    this.#isChanged = false;
  }

  #take({ subject, sequence, stamp, data, headers }: Delivery): void {
    this.#last = sequence;
    this.#lastStamp = stamp;
    const key = parseUserSubject(subject);
    this.#unreadable.delete(subject);
    if (key === undefined || isRemoval(data, headers)) {
      this.#records.set(subject, undefined);
      return;
    }
    const parsed = parseUserRecord(key, textOf(data), this.#context.secrets);
    if (parsed.kind === "record") {
      this.#records.set(subject, parsed.record);
      return;
    }
    // The last good one stays.
    const good = this.#records.get(subject) ?? this.#before.get(subject);
    this.#records.set(subject, good);
    this.#unreadable.add(subject);
    this.#context.unreadable(subject, parsed.reason);
  }

  #complete(): void {
    this.#before = new Map();
    this.#isChanged = true;
    this.#end = undefined;
    this.#failure = undefined;
    this.#snapshot = {
      last: this.#last,
      lastStamp: this.#lastStamp,
      messages: this.#records.size,
    };
    for (const end of [...this.#waiters]) end();
  }
}

function isRemoval(data: Uint8Array, headers: () => string): boolean {
  return data.length === 0 || /^KV-Operation: *(?:DEL|PURGE)\r?$/m.test(headers());
}
