/**
 * Keys and versions that may have changed without a message: after a purge by hand, a native rename, or when messages expire.
 * They are read again before the next listing.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import type { ObjectKey } from "../../s3/names.ts";
import { monotonic, randomPlace } from "../../world/world.ts";
import type { BucketsContext } from "../buckets/context.ts";
import type { StreamReading } from "../buckets/streams.ts";
import { records } from "../layout/subjects.ts";
import { readCurrent } from "../objects/current.ts";
import type { KeyTable } from "./key_table.ts";
import { formatRow, type VersionRow } from "./version_row.ts";
import type { VersionTable } from "./version_table.ts";

/** Milliseconds in which a native client that renames an object purges the old name. */
const RENAME_TIME = 10_000;
/** Number of doubted keys that are read at once. */
const RECHECKS_AT_ONCE = 64;
/** Number of keys and versions that are read again when messages have left the stream, no matter which. */
const PROBES = 16;
/** With more doubted keys and versions than this it is cheaper to read all of them again. */
const MAX_DOUBTED = 1000;
/** Number of native clients' nuids that are remembered until the next listing. */
const MAX_FOREIGN = 10_000;

/** What is read again: the object info of a key, or the record of a version. */
type Probe = ObjectKey | VersionRow;

/** The doubted keys and versions of the tables of an index. */
export class Doubts {
  readonly #needs: Pick<BucketsContext, "requests" | "streams">;
  readonly #table: KeyTable;
  readonly #versions: VersionTable;
  /** Keys to read again, and until when (in monotonic time) reading them once is not enough. */
  readonly #doubted = new Map<ObjectKey, number>();
  /** Versions whose records are to be read again, by the texts of their rows. */
  readonly #doubtedRecords = new Map<string, VersionRow>();
  /** Nuids of object info that no gateway wrote: another key may have had them. */
  readonly #foreign = new Map<number, ObjectKey>();
  /** No message of a key or a version has a lower sequence. */
  #firstSequence = 0;
  /** Number of messages that have left the stream without a barrier in their place; undefined before the first reading. */
  #removed: number | undefined;

  constructor(
    needs: Pick<BucketsContext, "requests" | "streams">,
    table: KeyTable,
    versions: VersionTable,
  ) {
    this.#needs = needs;
    this.#table = table;
    this.#versions = versions;
  }

  /** Approximate size in bytes of memory. */
  get bytes(): number {
    return (this.#doubted.size + this.#doubtedRecords.size) * 500 + this.#foreign.size * 100;
  }

  /** Doubts a key, if the index has it. */
  add(key: ObjectKey): void {
    const isListed = this.#table.has(key) || this.#versions.current(key) !== undefined;
    if (isListed && !this.#doubted.has(key)) this.#doubted.set(key, 0);
  }

  /** Notes that a native client wrote a key's object info. The number of its nuid may be that of an old name. */
  addForeign(nuid: number, key: ObjectKey): void {
    this.#foreign.set(nuid, key);
    if (this.#foreign.size > MAX_FOREIGN) this.#addRenamed();
  }

  /**
   * Reads doubted keys and versions again and deletes those that are gone.
   *
   * @param barriers Number of barriers that were delivered.
   * @returns whether any are gone; undefined if they are too many
   */
  async recheck(stream: StreamReading, barriers: number): Promise<boolean | undefined> {
    if (stream.firstSequence > this.#firstSequence) {
      // Earlier messages are gone: they expired, or the beginning of the stream was purged.
      if (!this.#addBefore(stream.firstSequence)) return undefined;
    }
    this.#addRenamed();
    const recheck = (probe: Probe): Promise<boolean> => this.#recheckOne(stream, probe);
    const doubted = [...this.#doubted.keys(), ...this.#doubtedRecords.values()];
    const gone = await mapAtOnce(doubted, RECHECKS_AT_ONCE, recheck);
    const probes = await mapAtOnce(this.#probes(stream, barriers), RECHECKS_AT_ONCE, recheck);
    return probes.includes(true) ? undefined : gone.includes(true);
  }

  /** Doubts everything whose message is before a sequence. Returns false if that is too much. */
  #addBefore(sequence: number): boolean {
    const { keys, next } = this.#table.before(sequence);
    const { rows, next: nextRow } = this.#versions.before(sequence);
    if (keys.length + rows.length > MAX_DOUBTED) return false;
    for (const key of keys) this.add(key);
    for (const row of rows) {
      if (row.place === "current") this.add(row.key);
      else this.#doubtedRecords.set(formatRow(row), row);
    }
    const lowest = next === 0 || nextRow === 0 ? next + nextRow : Math.min(next, nextRow);
    this.#firstSequence = Math.max(lowest, sequence);
    return true;
  }

  /** Returns some probes if messages have left the stream since the last time: all, if the index has only a few. */
  #probes({ lastSequence, messages }: StreamReading, barriers: number): readonly Probe[] {
    const before = this.#removed;
    const removed = lastSequence - messages - barriers;
    this.#removed = Math.max(removed, before ?? removed);
    if (before === undefined || removed <= before) return [];
    const table = this.#table;
    const versions = this.#versions;
    const size = table.size + versions.size;
    if (size <= PROBES) {
      return [
        ...Array.from(iterate(table.from("")), ({ key }) => key),
        ...Array.from(iterate(versions.from("")), probeOf),
      ];
    }
    return Array.from({ length: PROBES }, () => {
      const place = randomPlace() * size - table.size;
      if (place < 0) return table.pick(place / table.size + 1)?.key;
      const row = versions.pick(place / versions.size);
      return row && probeOf(row);
    }).filter((probe) => probe !== undefined);
  }

  #recheckOne(stream: StreamReading, probe: Probe): Promise<boolean> {
    return typeof probe === "string"
      ? this.#recheckKey(stream, probe)
      : this.#recheckRecord(stream, probe);
  }

  /** Reads a key again. Returns whether it is gone. */
  async #recheckKey(stream: StreamReading, key: ObjectKey): Promise<boolean> {
    const before = this.#sequenceOf(key);
    const isObject = this.#table.has(key);
    const isLast = monotonic() >= (this.#doubted.get(key) ?? 0);
    const { parsed, marker } = await readCurrent(this.#needs, stream, key);
    const isListed = parsed.kind !== "absent" || (marker !== undefined && !isObject);
    // A message that came in the meantime knows better.
    const isGone = before !== undefined && !isListed && this.#sequenceOf(key) === before;
    if (isGone) {
      this.#table.delete(key);
      this.#versions.setCurrent(key);
    }
    if (isGone || isLast) this.#doubted.delete(key);
    return isGone;
  }

  /** Returns the sequence of a key's object info, which may be a delete marker. */
  #sequenceOf(key: ObjectKey): number | undefined {
    const current = this.#table.sequenceOf(key);
    if (current !== undefined) return current;
    const row = this.#versions.current(key);
    return row && this.#versions.sequenceOf(row);
  }

  /** Reads the record of a version again. Returns whether it is gone. */
  async #recheckRecord(stream: StreamReading, row: VersionRow): Promise<boolean> {
    const versions = this.#versions;
    const before = versions.sequenceOf(row);
    const query = { last_by_subj: records.version(stream.store, row.key, row.id) };
    const message = await this.#needs.requests.leaderGet(stream.stream, query);
    this.#doubtedRecords.delete(formatRow(row));
    const isGone = message === undefined && before !== undefined &&
      versions.sequenceOf(row) === before;
    if (isGone) versions.delete(row);
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

function probeOf(row: VersionRow): Probe {
  return row.place === "current" ? row.key : row;
}

function iterate<T>(iterator: Iterator<T>): Iterable<T> {
  return { [Symbol.iterator]: () => iterator };
}
