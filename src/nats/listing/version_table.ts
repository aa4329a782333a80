/**
 * The versions of a bucket and the listed properties of each, sorted and packed: every record of a version, and every object
 * info that states its version id. In a bucket that never had versioning it is empty.
 *
 * Object info that states no version id is in the table of keys alone: it is the version `null`, and current.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import { NULL_VERSION, ordinalOf, type VersionId } from "../../s3/version_id.ts";
import type { ListedObject } from "../../store/listings.ts";
import type { VersionFacts } from "../layout/version_facts.ts";
import type { KeyEntry, KeyLegend } from "./key_packing.ts";
import { KeyTable, type PackedTexts } from "./key_table.ts";
import {
  formatRow,
  isRow,
  MAX_ROW_BYTES,
  parseRow,
  placeOf,
  recordsBelow,
  rowsFrom,
  type VersionRow,
} from "./version_row.ts";

/** The listed properties of a version, and the message that they come from. */
export type VersionProperties = Omit<KeyEntry, "key">;

/** A row, with its listed properties. A delete marker has an empty ETag. */
export type ListedRow = VersionRow & { readonly listed: ListedObject };

const ROWS: PackedTexts = { maxBytes: MAX_ROW_BYTES, isText: isRow };

/** Versions in order. */
export class VersionTable {
  /** Texts of rows stand in the places of keys. */
  readonly #rows = new KeyTable();

  /** Number of rows. A version that is current may have another one for its record. */
  get size(): number {
    return this.#rows.size;
  }

  /** Approximate size in bytes of memory. */
  get bytes(): number {
    return this.#rows.bytes;
  }

  /** Sets the version that the object info of a key states; undefined for none. */
  setCurrent(
    key: ObjectKey,
    current?: VersionFacts & { readonly properties: VersionProperties },
  ): void {
    const former = this.#currentText(key);
    const text = current && formatRow({ key, place: "current", ...current });
    if (former !== undefined && former !== text) this.#delete(former);
    if (text !== undefined) this.#set(text, current?.properties);
  }

  /**
   * Sets the version that a record describes.
   *
   * @param id As the subject of the record names it.
   * @param record Undefined if there is no such version.
   */
  setRecord(
    key: ObjectKey,
    id: VersionId,
    record?: { readonly ordinal: number; readonly properties: VersionProperties },
  ): void {
    if (id === NULL_VERSION) {
      const former = this.#nullText(key);
      const { ordinal = 0 } = record ?? {};
      const text = record && formatRow({ key, place: "null record", id, ordinal });
      if (former !== undefined && former !== text) this.#delete(former);
      if (text !== undefined) this.#set(text, record?.properties);
      return;
    }
    const text = formatRow({ key, place: "record", id, ordinal: ordinalOf(id) ?? 0 });
    if (record === undefined) this.#delete(text);
    else this.#set(text, record.properties);
  }

  /** Returns the version that the object info of a key states. */
  current(key: ObjectKey): VersionRow | undefined {
    const text = this.#currentText(key);
    return text === undefined ? undefined : parseRow(text);
  }

  /** Returns the record of a key's version `null`. */
  nullRecord(key: ObjectKey): VersionRow | undefined {
    const text = this.#nullText(key);
    return text === undefined ? undefined : parseRow(text);
  }

  /** Iterates over the versions of the keys from the first one at or above a text. */
  from(text: string): Iterator<ListedRow> {
    return this.#from(rowsFrom(text));
  }

  /** Iterates over a key's records below an ordinal, except that of the version `null`, and the versions of later keys. */
  fromRecords(key: ObjectKey, below: number): Iterator<ListedRow> {
    return this.#from(recordsBelow(key, below));
  }

  /** Returns the sequence of a row's message; undefined if the table does not have the row. */
  sequenceOf(row: VersionRow): number | undefined {
    return this.#rows.sequenceOf(formatRow(row) as ObjectKey);
  }

  /** Returns the sequence of the object info of a key that states a version. */
  sequenceOfCurrent(key: ObjectKey): number | undefined {
    const row = this.current(key);
    return row && this.sequenceOf(row);
  }

  /** Returns the sequence of the record of a version. */
  sequenceOfRecord(key: ObjectKey, id: VersionId): number | undefined {
    const ordinal = ordinalOf(id);
    const row = ordinal === undefined
      ? this.nullRecord(key)
      : { key, place: "record" as const, id, ordinal };
    return row && this.sequenceOf(row);
  }

  /** Removes a row. */
  delete(row: VersionRow): void {
    this.#delete(formatRow(row));
  }

  /** Returns the rows whose message is before a sequence, and the lowest sequence of the others; 0 if there are none. */
  before(sequence: number): { readonly rows: readonly VersionRow[]; readonly next: number } {
    const { keys, next } = this.#rows.before(sequence);
    return { rows: keys.map((text) => parseRow(text)), next };
  }

  /** Returns a row somewhere in the table: 0 is its beginning, 1 its end. Undefined if it is empty. */
  pick(place: number): VersionRow | undefined {
    const picked = this.#rows.pick(place);
    return picked && parseRow(picked.key);
  }

  /** The texts that packed rows refer to. */
  get legend(): KeyLegend {
    return this.#rows.legend;
  }

  /** Adds the texts that packed rows refer to. The table must be empty. */
  readLegend(legend: KeyLegend): void {
    this.#rows.readLegend(legend);
  }

  /** Packs rows as {@linkcode KeyTable.pack} packs keys. */
  pack(text: string, max: number): ReturnType<KeyTable["pack"]> {
    return this.#rows.pack(text, max);
  }

  /** Appends packed rows as {@linkcode KeyTable.unpack} appends keys. */
  unpack(data: Uint8Array, max?: number): boolean {
    return this.#rows.unpack(data, max, ROWS);
  }

  *#from(text: string): Generator<ListedRow> {
    const rows = this.#rows.from(text);
    let row: ListedRow | undefined;
    for (let step = rows.next(); !step.done; step = rows.next()) {
      const { key, place, id, ordinal } = parseRow(step.value.key, row);
      row = { key, place, id, ordinal, listed: step.value };
      yield row;
    }
  }

  #currentText(key: ObjectKey): string | undefined {
    return this.#rows.size === 0 ? undefined : this.#rows.firstWith(placeOf(key, "current"));
  }

  #nullText(key: ObjectKey): string | undefined {
    return this.#rows.firstWith(placeOf(key, "null record"));
  }

  #set(text: string, properties: VersionProperties | undefined): void {
    if (properties !== undefined) this.#rows.set({ ...properties, key: text as ObjectKey });
  }

  #delete(text: string): void {
    this.#rows.delete(text as ObjectKey);
  }
}
