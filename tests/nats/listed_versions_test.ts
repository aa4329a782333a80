/** The versions of two tables, as the index of a bucket fills them. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { KeyTable } from "../../src/nats/listing/key_table.ts";
import { ListedVersions } from "../../src/nats/listing/listed_versions.ts";
import { type VersionProperties, VersionTable } from "../../src/nats/listing/version_table.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import { newVersionId, NULL_VERSION, ordinalOf } from "../../src/s3/version_id.ts";
import { listVersionPage } from "../../src/s3/version_listing.ts";
import type { VersionPage, VersionQuery } from "../../src/store/listings.ts";
import { Random } from "../http/malformed_requests.ts";
import {
  type Content,
  type Stated,
  VERSION_KEYS,
  VersionModel,
  type VersionTarget,
} from "./version_model.ts";

class Tables implements VersionTarget {
  readonly keys = new KeyTable();
  readonly versions = new VersionTable();
  readonly listed = new ListedVersions(this.keys, this.versions);
  #sequence = 0;

  setCurrent: VersionTarget["setCurrent"] = (key, current) => {
    const properties = current && this.#propertiesOf(current);
    const version = current?.version;
    this.versions.setCurrent(key, version && properties && { ...version, properties });
    if (properties === undefined || current?.isMarker === true) this.keys.delete(key);
    else this.keys.set({ key, ...properties });
  };

  setRecord: VersionTarget["setRecord"] = (key, { id, ordinal }, record) => {
    const properties = record && this.#propertiesOf(record);
    this.versions.setRecord(key, id, properties && { ordinal, properties });
  };

  list(query: VersionQuery): VersionPage {
    const { entries, commonPrefixes, next } = listVersionPage(this.listed, query);
    return { versions: entries, commonPrefixes, next };
  }

  #propertiesOf({ size, isMarker }: Content): VersionProperties {
    return {
      size,
      etag: isMarker ? "" : "0".repeat(32),
      modified: new Date(0),
      owner: "alice",
      checksum: undefined,
      storageClass: undefined,
      sequence: ++this.#sequence,
      nuid: 0,
    };
  }
}

Deno.test("versions are listed as a plain model lists them", async () => {
  const random = new Random(7);
  const tables = new Tables();
  const model = new VersionModel(random, tables);
  let pages = 0;
  const list = (query: VersionQuery): VersionPage["next"] => {
    const page = tables.list(query);
    model.check(page, query);
    pages++;
    return page.next;
  };
  for (let step = 0; step < 1500; step++) {
    await model.change(random.pick(VERSION_KEYS));
    if (step % 5 !== 0) continue;
    const query = model.someQuery();
    list(query);
    let next: VersionPage["next"] = { key: query.afterKey, version: query.afterVersion };
    while (next !== undefined) {
      next = list({
        ...query,
        limit: 1 + random.below(9),
        afterKey: next.key,
        afterVersion: next.version,
      });
    }
  }
  ok(pages > 1000, `${pages} pages`);
  ok(model.whole().length > 100);
});

Deno.test("object info that states the version null without an ordinal is current, and comes first", () => {
  const tables = new Tables();
  const key = "a" as ObjectKey;
  tables.setRecord(key, { id: newVersionId(9, new Uint8Array(22)), ordinal: 9 }, OBJECT);
  tables.setCurrent(key, { ...OBJECT, version: { id: NULL_VERSION, ordinal: 0 } });
  const query = { prefix: "", delimiter: "", afterKey: "", afterVersion: undefined, limit: 1 };
  const { versions, next } = tables.list(query);
  deepStrictEqual(versions.map(({ versionId, isLatest }) => [versionId, isLatest]), [[
    "null",
    true,
  ]]);
  const rest = tables.list({ ...query, afterKey: key, afterVersion: next?.version });
  deepStrictEqual(rest.versions.map(({ versionId }) => ordinalOf(versionId)), [9]);
});

const OBJECT: Content = { size: 1, isMarker: false };

Deno.test("packed versions are unpacked, and texts that are no rows are refused", async () => {
  const random = new Random(3);
  const tables = new Tables();
  const model = new VersionModel(random, tables);
  for (let step = 0; step < 500; step++) await model.change(random.pick(VERSION_KEYS));
  for (let ordinal = 1; ordinal <= 500; ordinal++) {
    const id = newVersionId(ordinal, new Uint8Array(22));
    tables.setRecord("many" as ObjectKey, { id, ordinal }, OBJECT);
  }
  const copy = new VersionTable();
  copy.readLegend(tables.versions.legend);
  let pages = 0;
  for (let next: string | undefined = ""; next !== undefined; pages++) {
    const page: ReturnType<VersionTable["pack"]> = tables.versions.pack(next, 2000);
    ok(copy.unpack(page.data));
    next = page.next;
  }
  ok(pages > 1);
  const all = { prefix: "", delimiter: "", afterKey: "", afterVersion: undefined, limit: 10_000 };
  const listed = listVersionPage(new ListedVersions(tables.keys, copy), all);
  deepStrictEqual(listed, listVersionPage(tables.listed, all));
  ok(listed.entries.length > 500);

  const ordinal = "0".repeat(10);
  const rest = "x".repeat(22);
  const texts = [
    "a",
    `\0\u00002${ordinal}${rest}`,
    `a\0\u00003${ordinal}${rest}`,
    `a\0\u00002${ordinal}`,
    `a\0\u00002${ordinal}${rest}x`,
    `a\0\u00002${"z".repeat(10)}null`,
    `a\0\u00001${"z".repeat(10)}${rest}`,
    `a\0\u00002${"-".repeat(10)}${rest}`,
    `a\0\u00002${"é".repeat(10)}${rest}`,
    `a\0\u00002${ordinal}${"é".repeat(22)}`,
    `a\0b\0\u00002${"z".repeat(10)}${rest}`,
    `${"k".repeat(1025)}\0\u00002${"z".repeat(10)}${rest}`,
  ];
  for (const text of [`a\0\u00002${"z".repeat(10)}${rest}`, ...texts]) {
    const forged = new KeyTable();
    forged.set({ ...LISTED, key: text as ObjectKey });
    const table = new VersionTable();
    table.readLegend(forged.legend);
    const isGood = !texts.includes(text);
    strictEqual(table.unpack(forged.pack("", 10_000).data), isGood, JSON.stringify(text));
  }
});

const LISTED = {
  size: 1,
  etag: "",
  modified: new Date(0),
  owner: "alice",
  checksum: undefined,
  storageClass: undefined,
  sequence: 1,
  nuid: 0,
} as const;

Deno.test("a delete marker takes no more memory than an object", () => {
  const [markers, objects] = [true, false].map((isMarker) => {
    const tables = new Tables();
    for (let ordinal = 1; ordinal <= 1000; ordinal++) {
      const id = newVersionId(ordinal, new Uint8Array(22));
      tables.setRecord("a" as ObjectKey, { id, ordinal }, { size: 0, isMarker });
    }
    return tables.versions.bytes;
  });
  strictEqual(markers, objects);
});

Deno.test("a page of 1,000 reads 1,000 of 100,000 versions, wherever it begins", () => {
  const tables = new Tables();
  const key = "a" as ObjectKey;
  const at = (ordinal: number): Stated => ({
    id: newVersionId(ordinal, new Uint8Array(22)),
    ordinal,
  });
  for (let ordinal = 1; ordinal < 100_000; ordinal++) {
    tables.setRecord(key, at(ordinal), { size: ordinal, isMarker: false });
  }
  tables.setCurrent(key, { size: 100_000, isMarker: false, version: at(100_000) });
  let reads = 0;
  const table: VersionTable = tables.versions;
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
    const { entries } = listVersionPage(tables.listed, query);
    strictEqual(entries.length, afterVersion === at(1).id ? 0 : 1000);
    ok(reads < 1010, `${reads} rows for a page after ${afterVersion}`);
  }
  // A delimiter that hides them, and a marker without a version, skip them.
  for (const query of [{ delimiter: "a", afterKey: "" }, { delimiter: "", afterKey: "a" }]) {
    reads = 0;
    listVersionPage(tables.listed, { prefix: "", afterVersion: undefined, limit: 9, ...query });
    ok(reads < 10, `${reads} rows`);
  }
});
