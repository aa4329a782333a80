import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { compareUtf8 } from "../../s3/key_order.ts";
import { afterMarker, commonPrefix } from "../../s3/listing.ts";
import type { ObjectKey } from "../../s3/names.ts";
import { formatVersionMarker, listVersionPage } from "../../s3/version_listing.ts";
import { newVersionId, NULL_VERSION, type VersionId } from "../../s3/version_id.ts";
import type { VersionQuery } from "../../store/listings.ts";
import { KeyTable } from "./key_table.ts";
import { ListedVersions } from "./listed_versions.ts";
import { type VersionProperties, VersionTable } from "./version_table.ts";

/** A version of a model, by its fields that a listing compares. */
type Listed = {
  readonly key: string;
  readonly versionId: VersionId;
  readonly ordinal: number;
  readonly size: number;
  readonly isLatest: boolean;
  readonly isMarker: boolean;
};

type Stated = { readonly id: VersionId; readonly ordinal: number };
type Content = { readonly size: number; readonly isMarker: boolean };
type Current = Content & { readonly version: Stated | undefined };
type ModelKey = { current: Current | undefined; readonly records: Map<string, Stated & Content> };

const KEYS = [
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

class Versions {
  readonly keys = new KeyTable();
  readonly table = new VersionTable();
  readonly listed = new ListedVersions(this.keys, this.table);
  readonly model = new Map<ObjectKey, ModelKey>();
  #sequence = 0;

  /** Applies object info; undefined for none. */
  setCurrent(key: ObjectKey, current: Current | undefined): void {
    this.#of(key).current = current;
    const properties = this.#propertiesOf(current);
    const version = current?.version;
    this.table.setCurrent(key, version && properties && { ...version, properties });
    if (properties === undefined || current?.isMarker === true) this.keys.delete(key);
    else this.keys.set({ key, ...properties });
  }

  /** Applies a record; undefined for one that says that its version is gone. */
  setRecord(key: ObjectKey, id: VersionId, record: Stated & Content | undefined): void {
    const properties = this.#propertiesOf(record);
    this.table.setRecord(key, id, record && properties && { ...record, properties });
    if (record === undefined) this.#of(key).records.delete(id);
    else this.#of(key).records.set(id, record);
  }

  /** All versions, as plainly as the rules can be written. */
  whole(): readonly Listed[] {
    return [...this.model].sort(([a], [b]) => compareUtf8(a, b)).flatMap(([key, value]) => {
      const { current, records } = value;
      const versions: Listed[] = [];
      if (current !== undefined) {
        const { size, isMarker, version } = current;
        const id = version?.id ?? NULL_VERSION;
        const isNull = id === NULL_VERSION;
        const ordinal = version === undefined || (isNull && version.ordinal === 0)
          ? Infinity
          : version.ordinal;
        versions.push({ key, versionId: id, ordinal, size, isLatest: true, isMarker });
      }
      for (const { id, ordinal, size, isMarker } of records.values()) {
        if (id === versions[0]?.versionId) continue;
        versions.push({ key, versionId: id, ordinal, size, isLatest: false, isMarker });
      }
      return versions.sort((a, b) => b.ordinal - a.ordinal);
    });
  }

  #of(key: ObjectKey): ModelKey {
    const own = this.model.get(key) ?? { current: undefined, records: new Map() };
    this.model.set(key, own);
    return own;
  }

  #propertiesOf(content: Content | undefined): VersionProperties | undefined {
    return content && {
      size: content.size,
      etag: content.isMarker ? "" : "0".repeat(32),
      modified: new Date(0),
      owner: "alice",
      checksum: undefined,
      storageClass: undefined,
      sequence: ++this.#sequence,
      nuid: 0,
    };
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

function fieldsOf({ key, versionId, ordinal, size, isLatest, isMarker }: Listed): Listed {
  return { key, versionId, ordinal, size, isLatest, isMarker };
}

/** Numbers that look random and are the same in every run. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.floor((state >>> 0) / 2 ** 32 * below);
  };
}

Deno.test("versions are listed as a plain model lists them", () => {
  const below = numbersFrom(7);
  const versions = new Versions();
  let ordinal = 0;
  let pages = 0;
  const someKey = (): ObjectKey => KEYS[below(KEYS.length)] as ObjectKey;
  const nextVersion = (): Stated => {
    ordinal++;
    if (below(6) === 0) return { id: NULL_VERSION, ordinal };
    return { id: newVersionId(ordinal, new Uint8Array(22).fill(below(62))), ordinal };
  };
  const change = (): void => {
    const key = someKey();
    const own = versions.model.get(key);
    const kind = below(20);
    const content = { size: below(1000), isMarker: below(4) === 0 };
    if (kind < 10) {
      // Archives the current version, and perhaps commits another one.
      const { current } = own ?? {};
      if (current !== undefined) {
        const stated = current.version ?? { id: NULL_VERSION, ordinal: below(2) * ++ordinal };
        versions.setRecord(key, stated.id, { ...current, ...stated });
      }
      const version = nextVersion();
      const size = content.isMarker ? 0 : content.size;
      if (kind > 0) versions.setCurrent(key, { ...content, size, version });
    } else if (kind < 12) {
      versions.setCurrent(key, { size: content.size, isMarker: false, version: undefined });
    } else if (kind === 12) {
      versions.setCurrent(key, undefined);
    } else {
      const ids = [...own?.records.keys() ?? []];
      const id = ids[below(ids.length)];
      if (id !== undefined) versions.setRecord(key, id as VersionId, undefined);
    }
  };
  const list = (query: VersionQuery): ReturnType<typeof listVersionPage<Listed>>["next"] => {
    const page = listVersionPage<Listed>(versions.listed, query);
    const expected = listPlainly(versions.whole(), query);
    const isGroup = (item: Listed | string): item is string => typeof item === "string";
    deepStrictEqual(
      page.entries.map(fieldsOf),
      expected.items.filter((item) => !isGroup(item)),
      JSON.stringify(query),
    );
    deepStrictEqual(page.commonPrefixes, expected.items.filter(isGroup), JSON.stringify(query));
    strictEqual(page.next !== undefined, expected.isTruncated, JSON.stringify(query));
    pages++;
    return page.next;
  };

  for (let step = 0; step < 1500; step++) {
    change();
    if (step % 5 !== 0) continue;
    const prefix = below(2) === 0 ? "" : someKey().slice(0, 1 + below(2));
    const delimiter = ["", "/", "\0", "k"][below(4)] as string;
    const all = versions.whole();
    const marker = all[below(all.length)];
    const isMarked = marker !== undefined && below(2) === 0;
    const query = { prefix, delimiter, limit: below(30) };
    const items = { prefix, delimiter };
    list({
      ...query,
      afterKey: isMarked ? afterMarker(marker.key, items) : "",
      afterVersion: isMarked && below(2) === 0 ? formatVersionMarker(marker) : undefined,
    });
    let next: ReturnType<typeof list> = { key: "", version: undefined };
    while (next !== undefined) {
      next = list({
        ...query,
        limit: 1 + below(9),
        afterKey: next.key,
        afterVersion: next.version,
      });
    }
  }
  ok(pages > 2000, `${pages} pages`);
  ok(versions.whole().length > 100);
});

Deno.test("a delete marker takes no more memory than an object", () => {
  const [markers, objects] = [true, false].map((isMarker) => {
    const versions = new Versions();
    for (let ordinal = 1; ordinal <= 1000; ordinal++) {
      const id = newVersionId(ordinal, new Uint8Array(22));
      versions.setRecord("a" as ObjectKey, id, { id, ordinal, size: 0, isMarker });
    }
    return versions.table.bytes;
  });
  strictEqual(markers, objects);
});

Deno.test("a page of 1,000 reads 1,000 of 100,000 versions, wherever it begins", () => {
  const versions = new Versions();
  const key = "a" as ObjectKey;
  const at = (ordinal: number): Stated => ({
    id: newVersionId(ordinal, new Uint8Array(22)),
    ordinal,
  });
  for (let ordinal = 1; ordinal < 100_000; ordinal++) {
    const stated = at(ordinal);
    versions.setRecord(key, stated.id, { ...stated, size: ordinal, isMarker: false });
  }
  versions.setCurrent(key, { size: 100_000, isMarker: false, version: at(100_000) });
  let reads = 0;
  const table: VersionTable = versions.table;
  const count = (iterator: Iterator<unknown>): void => {
    const next = iterator.next.bind(iterator);
    iterator.next = () => {
      reads++;
      return next();
    };
  };
  for (const name of ["from", "fromRecords"] as const) {
    const original = table[name].bind(table) as (...args: unknown[]) => Iterator<never>;
    table[name] = (...args: unknown[]) => {
      const iterator = original(...args);
      count(iterator);
      return iterator;
    };
  }
  for (const afterVersion of [undefined, at(100_000).id, at(50_000).id, at(1).id]) {
    reads = 0;
    const afterKey = afterVersion === undefined ? "" : key;
    const query = { prefix: "", delimiter: "", afterKey, afterVersion, limit: 1000 };
    const { entries } = listVersionPage(versions.listed, query);
    strictEqual(entries.length, afterVersion === at(1).id ? 0 : 1000);
    ok(reads < 1010, `${reads} rows for a page after ${afterVersion}`);
  }
  // A delimiter that hides them, and a marker without a version, skip them.
  for (const query of [{ delimiter: "a", afterKey: "" }, { delimiter: "", afterKey: "a" }]) {
    reads = 0;
    listVersionPage(versions.listed, { prefix: "", afterVersion: undefined, limit: 9, ...query });
    ok(reads < 10, `${reads} rows`);
  }
});
