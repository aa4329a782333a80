/**
 * A model of the versions of a bucket: what is written of them, and the rules of listings as plainly as they can be written.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 * @module
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { compareUtf8 } from "../../src/s3/key_order.ts";
import { afterMarker, commonPrefix } from "../../src/s3/listing.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import { newVersionId, NULL_VERSION, type VersionId } from "../../src/s3/version_id.ts";
import { formatVersionMarker } from "../../src/s3/version_listing.ts";
import type { VersionPage, VersionQuery } from "../../src/store/listings.ts";
import type { Random } from "../http/malformed_requests.ts";

/** A version, by its fields that a comparison of listings uses. */
type Listed = {
  readonly key: string;
  readonly versionId: VersionId;
  readonly ordinal: number;
  readonly size: number;
  readonly isLatest: boolean;
  readonly isMarker: boolean;
};

/** The id and the ordinal of a version. */
export type Stated = { readonly id: VersionId; readonly ordinal: number };
/** An object of this size, or a delete marker. */
export type Content = { readonly size: number; readonly isMarker: boolean };
/** What object info says. */
export type CurrentVersion = Content & { readonly version: Stated | undefined };
type ModelKey = {
  current: CurrentVersion | undefined;
  readonly records: Map<VersionId, Stated & Content>;
};

/** What the same writes go to. */
export type VersionTarget = {
  /** Writes object info; undefined for that of a native delete. */
  readonly setCurrent: (
    key: ObjectKey,
    current: CurrentVersion | undefined,
  ) => void | Promise<void>;
  /** Writes the record of a version; undefined for one that says that it is gone. */
  readonly setRecord: (
    key: ObjectKey,
    stated: Stated,
    record: Content | undefined,
  ) => void | Promise<void>;
};

/** Keys, some of which differ only in what sorts or encodes in a special way. */
export const VERSION_KEYS = [
  ..."abc",
  "\0",
  "\0\0",
  "a\0",
  "a\0\0b",
  "a\0\u0001",
  "a\0\u0001z",
  "a\0z",
  "a\u0001",
  "a/",
  "a/b",
  "a/b/c",
  "é/x",
  "！",
  "😀/😀",
  "k".repeat(1024),
  "\0".repeat(1024),
] as readonly string[] as readonly ObjectKey[];

/** The versions that were written to a target. */
export class VersionModel {
  readonly #random: Random;
  readonly #target: VersionTarget;
  readonly #keys = new Map<ObjectKey, ModelKey>();
  #ordinal = 0;

  constructor(random: Random, target: VersionTarget) {
    this.#random = random;
    this.#target = target;
  }

  /** Changes a key in one of the ways in which gateways and native clients do. */
  async change(key: ObjectKey): Promise<void> {
    const random = this.#random;
    const own: ModelKey = this.#keys.get(key) ?? { current: undefined, records: new Map() };
    this.#keys.set(key, own);
    const kind = random.below(20);
    const isMarker = random.chance(0.25);
    const size = isMarker ? 0 : 1 + random.below(1000);
    if (kind < 10) {
      // Archives the current version, and perhaps commits another one.
      const { current } = own;
      if (current !== undefined) {
        const { version, ...content } = current;
        const isLowest = version === undefined && own.records.size === 0 && random.chance(0.5);
        const ordinal = isLowest ? 0 : ++this.#ordinal;
        await this.#record(key, version ?? { id: NULL_VERSION, ordinal }, content);
      }
      if (kind > 0) await this.#setCurrent(key, { size, isMarker, version: this.#next() });
    } else if (kind < 12) {
      await this.#setCurrent(key, { size: 1 + size, isMarker: false, version: undefined });
    } else if (kind === 12) {
      await this.#setCurrent(key, undefined);
    } else if (own.records.size > 0) {
      await this.#record(key, random.pick([...own.records.values()]), undefined);
    }
  }

  /** Returns all versions in order. */
  whole(): readonly Listed[] {
    return [...this.#keys].sort(([a], [b]) => compareUtf8(a, b)).flatMap(([key, own]) => {
      const { current, records } = own;
      const versions: Listed[] = [];
      if (current !== undefined) {
        const { size, isMarker, version } = current;
        const { id, ordinal } = version ?? { id: NULL_VERSION, ordinal: Infinity };
        versions.push({ key, versionId: id, ordinal, size, isLatest: true, isMarker });
      }
      for (const { id, ordinal, size, isMarker } of records.values()) {
        // While object info holds a version, its record is an older copy.
        if (id === versions[0]?.versionId) continue;
        versions.push({ key, versionId: id, ordinal, size, isLatest: false, isMarker });
      }
      return versions.sort((a, b) => b.ordinal - a.ordinal);
    });
  }

  /** Returns a random query; often for a page that begins at a version. */
  someQuery(): VersionQuery {
    const random = this.#random;
    const prefix = random.chance(0.5)
      ? ""
      : random.pick(VERSION_KEYS).slice(0, 1 + random.below(2));
    const items = { prefix, delimiter: random.pick(["", "/", "\0", "k"]) };
    const all = this.whole();
    const marker = all.length > 0 && random.chance(0.5) ? random.pick(all) : undefined;
    return {
      ...items,
      limit: random.below(30),
      afterKey: marker === undefined ? "" : afterMarker(marker.key, items),
      afterVersion: marker && random.chance(0.5) ? formatVersionMarker(marker) : undefined,
    };
  }

  /** Asserts that a page is the right one. */
  check(page: VersionPage, query: VersionQuery): void {
    const expected = listPlainly(this.whole(), query);
    const text = JSON.stringify(query);
    deepStrictEqual(
      page.versions.map(({ key, versionId, size, isLatest, isMarker }) => {
        return { key: key as string, versionId, size, isLatest, isMarker };
      }),
      expected.items.filter((item) => typeof item !== "string")
        .map(({ ordinal: _, ...fields }) => fields),
      text,
    );
    const groups = expected.items.filter((item) => typeof item === "string");
    deepStrictEqual(page.commonPrefixes, groups, text);
    strictEqual(page.next !== undefined, expected.isTruncated, text);
  }

  #next(): Stated {
    const ordinal = ++this.#ordinal;
    if (this.#random.chance(0.2)) return { id: NULL_VERSION, ordinal };
    const bytes = Uint8Array.from({ length: 22 }, () => this.#random.below(256));
    return { id: newVersionId(ordinal, bytes), ordinal };
  }

  async #setCurrent(key: ObjectKey, current: CurrentVersion | undefined): Promise<void> {
    await this.#target.setCurrent(key, current);
    (this.#keys.get(key) as ModelKey).current = current;
  }

  async #record(
    key: ObjectKey,
    { id, ordinal }: Stated,
    record: Content | undefined,
  ): Promise<void> {
    await this.#target.setRecord(key, { id, ordinal }, record);
    const { records } = this.#keys.get(key) as ModelKey;
    if (record === undefined) records.delete(id);
    else records.set(id, { id, ordinal, ...record });
  }
}

/** Returns one page as plainly as S3's rules can be written. */
function listPlainly(
  all: readonly Listed[],
  { prefix, delimiter, afterKey, afterVersion, limit }: VersionQuery,
): { readonly items: readonly (Listed | string)[]; readonly isTruncated: boolean } {
  const items: (Listed | string)[] = [];
  const isWithin = afterVersion !== undefined && afterKey.startsWith(prefix) &&
    commonPrefix(afterKey, prefix, delimiter) === undefined;
  const mark = isWithin ? positionIn(all, afterKey, afterVersion) : undefined;
  for (const version of all) {
    if (!version.key.startsWith(prefix)) continue;
    const group = commonPrefix(version.key, prefix, delimiter);
    const order = compareUtf8(group ?? version.key, afterKey);
    const isOlder = isWithin && version.key === afterKey &&
      (mark === undefined || version.ordinal < mark);
    if (order < 0 || (order === 0 && !isOlder && afterKey !== "")) continue;
    if (group === undefined) items.push(version);
    else if (items.at(-1) !== group) items.push(group);
  }
  return { items: items.slice(0, limit), isTruncated: limit > 0 && items.length > limit };
}

function positionIn(all: readonly Listed[], key: string, marker: string): number | undefined {
  return all.find((version) => version.key === key && formatVersionMarker(version) === marker)
    ?.ordinal;
}
