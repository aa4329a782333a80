/**
 * The versions of a bucket as a listing shows them: those of the table of keys and those of the table of versions, in one
 * order.
 *
 * While object info holds a version, the record of that version is an older copy, which is not shown.
 * @module
 */

import { compareUtf8 } from "../../s3/key_order.ts";
import type { ObjectKey } from "../../s3/names.ts";
import { NULL_VERSION } from "../../s3/version_id.ts";
import type { SortedVersions } from "../../s3/version_listing.ts";
import type { ListedObject, ListedVersion } from "../../store/listings.ts";
import type { KeyTable } from "./key_table.ts";
import type { ListedRow, VersionTable } from "./version_table.ts";
import type { VersionRow } from "./version_row.ts";

/** A version in its order. */
export type OrderedVersion = ListedVersion & { readonly ordinal: number };

/** The versions of two tables of one bucket, in order. They must not change while a listing iterates. */
export class ListedVersions implements SortedVersions<OrderedVersion> {
  readonly #keys: KeyTable;
  readonly #versions: VersionTable;

  constructor(keys: KeyTable, versions: VersionTable) {
    this.#keys = keys;
    this.#versions = versions;
  }

  *from(text: string, below?: number): Generator<OrderedVersion> {
    const objects = new Cursor(this.#keys.from(text));
    const rows = new Cursor(this.#versions.from(text));
    for (;;) {
      const key = firstOf(objects.value?.key, rows.value?.key);
      if (key === undefined) return;
      const object = objects.value?.key === key ? objects.take() : undefined;
      yield* this.#versionsOf(key, object, rows, key === text ? below : undefined);
    }
  }

  nullOrdinal(key: string): number | undefined {
    const current = this.#versions.current(key as ObjectKey);
    if (current === undefined && this.#keys.has(key as ObjectKey)) return Infinity;
    if (current?.id === NULL_VERSION) return ordinalOfCurrent(current);
    return this.#versions.nullRecord(key as ObjectKey)?.ordinal;
  }

  /** Iterates over the versions of one key, whose rows come next. */
  *#versionsOf(
    key: ObjectKey,
    object: ListedObject | undefined,
    rows: Cursor<ListedRow>,
    below: number | undefined,
  ): Generator<OrderedVersion> {
    const stated = takePlace(rows, key, "current");
    const current = stated === undefined
      ? object && versionOf(key, object, NULL_VERSION, Infinity, true)
      : versionOf(key, stated.listed, stated.id, ordinalOfCurrent(stated), true);
    const record = takePlace(rows, key, "null record");
    const nullVersion = record === undefined || current?.versionId === NULL_VERSION
      ? undefined
      : versionOf(key, record.listed, record.id, record.ordinal, false);
    const isLeft = (version: OrderedVersion | undefined): version is OrderedVersion =>
      version !== undefined && (below === undefined || version.ordinal < below);
    const others = [current, nullVersion].filter(isLeft).sort((a, b) => b.ordinal - a.ordinal);

    if (below !== undefined) rows.restart(this.#versions.fromRecords(key, below));
    for (let row = rows.value; row?.key === key; row = rows.value) {
      rows.take();
      if (row.id === current?.versionId) continue;
      while ((others[0]?.ordinal ?? -1) >= row.ordinal) yield others.shift() as OrderedVersion;
      yield versionOf(key, row.listed, row.id, row.ordinal, false);
    }
    yield* others;
  }
}

/** An iterator whose next value is known. */
class Cursor<T> {
  value: T | undefined;
  #iterator: Iterator<T>;

  constructor(iterator: Iterator<T>) {
    this.#iterator = iterator;
    this.#advance();
  }

  /** Goes on to the next value. Returns the one before it. */
  take(): T | undefined {
    const { value } = this;
    this.#advance();
    return value;
  }

  /** Goes on with another iterator. */
  restart(iterator: Iterator<T>): void {
    this.#iterator = iterator;
    this.#advance();
  }

  #advance(): void {
    const step = this.#iterator.next();
    this.value = step.done === true ? undefined : step.value;
  }
}

function firstOf(a: ObjectKey | undefined, b: ObjectKey | undefined): ObjectKey | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareUtf8(a, b) <= 0 ? a : b;
}

function takePlace(
  rows: Cursor<ListedRow>,
  key: ObjectKey,
  place: VersionRow["place"],
): ListedRow | undefined {
  return rows.value?.key === key && rows.value.place === place ? rows.take() : undefined;
}

/** Object info that states the version `null` without an ordinal is current, so it comes first. */
function ordinalOfCurrent({ id, ordinal }: VersionRow): number {
  return id === NULL_VERSION && ordinal === 0 ? Infinity : ordinal;
}

function versionOf(
  key: ObjectKey,
  listed: ListedObject,
  versionId: OrderedVersion["versionId"],
  ordinal: number,
  isLatest: boolean,
): OrderedVersion {
  const { size, etag, modified, owner, checksum, storageClass } = listed;
  const isMarker = etag === ""; // every object has one
  const facts = { key, size, etag, modified, owner, checksum, storageClass };
  return { ...facts, versionId, ordinal, isLatest, isMarker };
}
