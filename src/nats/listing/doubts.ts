/**
 * Keys that may have changed without a message: after a purge by hand, a native rename, or when messages expire. They are
 * read again before the next listing.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import type { ObjectKey } from "../../s3/names.ts";
import { monotonic, randomPlace } from "../../world/world.ts";
import type { BucketsContext } from "../buckets/context.ts";
import type { StreamReading } from "../buckets/streams.ts";
import { readCurrent } from "../objects/current.ts";
import type { KeyTable } from "./key_table.ts";

/** Milliseconds in which a native client that renames an object purges the old name. */
const RENAME_TIME = 10_000;
/** Number of doubted keys that are read at once. */
const RECHECKS_AT_ONCE = 64;
/** Number of keys that are read again when messages have left the stream, no matter which. */
const PROBES = 16;
/** With more doubted keys than this it is cheaper to read all keys again. */
const MAX_DOUBTED = 1000;
/** Number of native clients' nuids that are remembered until the next listing. */
const MAX_FOREIGN = 10_000;

/** The doubted keys of a table. */
export class Doubts {
  readonly #needs: Pick<BucketsContext, "requests" | "streams">;
  readonly #table: KeyTable;
  /** Keys to read again, and until when (in monotonic time) reading them once is not enough. */
  readonly #doubted = new Map<ObjectKey, number>();
  /** Nuids of object info that no gateway wrote: another key may have had them. */
  readonly #foreign = new Map<number, ObjectKey>();
  /** No key's message has a lower sequence. */
  #firstSequence = 0;
  /** Number of messages that have left the stream without a barrier in their place; undefined before the first reading. */
  #removed: number | undefined;

  constructor(needs: Pick<BucketsContext, "requests" | "streams">, table: KeyTable) {
    this.#needs = needs;
    this.#table = table;
  }

  /** Approximate size in bytes of memory. */
  get bytes(): number {
    return this.#doubted.size * 500 + this.#foreign.size * 100;
  }

  /** Doubts a key, if the table has it. */
  add(key: ObjectKey): void {
    if (this.#table.has(key) && !this.#doubted.has(key)) this.#doubted.set(key, 0);
  }

  /** Notes that a native client wrote a key's object info. The number of its nuid may be that of an old name. */
  addForeign(nuid: number, key: ObjectKey): void {
    this.#foreign.set(nuid, key);
    if (this.#foreign.size > MAX_FOREIGN) this.#addRenamed();
  }

  /**
   * Reads doubted keys again and deletes those that are gone.
   *
   * @param barriers Number of barriers that were delivered.
   * @returns whether any are gone; undefined if they are too many
   */
  async recheck(stream: StreamReading, barriers: number): Promise<boolean | undefined> {
    if (stream.firstSequence > this.#firstSequence) {
      // Earlier messages are gone: they expired, or the beginning of the stream was purged.
      const { keys, next } = this.#table.before(stream.firstSequence);
      if (keys.length > MAX_DOUBTED) return undefined;
      for (const key of keys) this.add(key);
      this.#firstSequence = Math.max(next, stream.firstSequence);
    }
    this.#addRenamed();
    const recheck = (key: ObjectKey): Promise<boolean> => this.#recheckKey(stream, key);
    const gone = await mapAtOnce([...this.#doubted.keys()], RECHECKS_AT_ONCE, recheck);
    const probes = await mapAtOnce(this.#probes(stream, barriers), RECHECKS_AT_ONCE, recheck);
    return probes.includes(true) ? undefined : gone.includes(true);
  }

  /** Returns some keys if messages have left the stream since the last time: all, if the table has only a few. */
  #probes({ lastSequence, messages }: StreamReading, barriers: number): readonly ObjectKey[] {
    const before = this.#removed;
    const removed = lastSequence - messages - barriers;
    this.#removed = Math.max(removed, before ?? removed);
    if (before === undefined || removed <= before) return [];
    const table = this.#table;
    if (table.size <= PROBES) return [...iterate(table.from(""))].map(({ key }) => key);
    return Array.from({ length: PROBES }, () => table.pick(randomPlace())?.key)
      .filter((key) => key !== undefined);
  }

  /** Reads a key again. Returns whether it is gone. */
  async #recheckKey(stream: StreamReading, key: ObjectKey): Promise<boolean> {
    const table = this.#table;
    const before = table.sequenceOf(key);
    const isLast = monotonic() >= (this.#doubted.get(key) ?? 0);
    const { parsed } = await readCurrent(this.#needs, stream, key);
    // A message that came in the meantime knows better.
    const isGone = parsed.kind === "absent" && table.sequenceOf(key) === before;
    if (isGone) table.delete(key);
    if (isGone || isLast) this.#doubted.delete(key);
    return isGone;
  }

  /** Doubts old names: a native rename publishes the new name and purges the old one without a message. */
  #addRenamed(): void {
    if (this.#foreign.size === 0) return;
    const until = monotonic() + RENAME_TIME;
    for (const { key, nuid } of this.#table.ofNuids(this.#foreign)) {
      if (this.#foreign.get(nuid) !== key) this.#doubted.set(key, until);
    }
    this.#foreign.clear();
  }
}

function iterate<T>(iterator: Iterator<T>): Iterable<T> {
  return { [Symbol.iterator]: () => iterator };
}
