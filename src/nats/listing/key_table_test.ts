import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { compareUtf8 } from "../../s3/listing.ts";
import type { ObjectKey } from "../../s3/names.ts";
import type { ListedObject } from "../../store/store.ts";
import { hashNuid, type KeyEntry } from "./key_packing.ts";
import { KeyTable } from "./key_table.ts";

/** Numbers that are the same in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
}

const LETTERS = ["a", "b", "/", "é", "\uff01", "\u{1f600}", "\u0000"];

function entryOf(key: string, version: number): KeyEntry {
  const md5 = createHash("md5").update(`${version}`).digest("hex");
  const etags = [md5, `${md5}-${version}`, `${md5}-0`, "odd", `${md5}-007`, md5.toUpperCase()];
  return {
    key: key as ObjectKey,
    size: version * 2 ** 33,
    etag: etags[version % etags.length] ?? md5,
    modified: new Date(1e12 + version),
    owner: [undefined, "ann", "bob"][version % 3],
    checksum: version % 2 === 0 ? undefined : { algorithm: "CRC32", type: "FULL_OBJECT" },
    storageClass: version % 5 === 0 ? "GLACIER_IR" : undefined,
    sequence: version,
    nuid: hashNuid(`${version}`),
  };
}

/** What a listing shows of an entry. */
function listed({ sequence: _, nuid: __, ...entry }: KeyEntry): ListedObject {
  return entry;
}

function allFrom(table: KeyTable, text: string): ListedObject[] {
  return [...{ [Symbol.iterator]: () => table.from(text) }];
}

function check(table: KeyTable, model: ReadonlyMap<string, KeyEntry>, from: string): void {
  const expected = [...model.values()].filter(({ key }) => compareUtf8(key, from) >= 0)
    .sort((a, b) => compareUtf8(a.key, b.key));
  deepStrictEqual(allFrom(table, from), expected.map(listed));
  strictEqual(table.size, model.size);
}

function keysWhere(
  model: ReadonlyMap<string, KeyEntry>,
  isWanted: (entry: KeyEntry) => boolean,
): readonly string[] {
  return [...model.values()].filter(isWanted).map(({ key }) => key as string).sort(compareUtf8);
}

Deno.test("KeyTable holds what a map holds, in the order of bytes", () => {
  const random = randomNumbers(1);
  const table = new KeyTable();
  const model = new Map<string, KeyEntry>();
  const someKey = (): string =>
    Array.from({ length: 1 + random(6) }, () => LETTERS[random(LETTERS.length)]).join("");
  for (let phase = 0; phase < 6; phase++) {
    // Phases grow and shrink, so that leaves are split and joined.
    const deletions = phase % 2 === 0 ? 2 : 8;
    for (let i = 0; i < 4000; i++) {
      const key = someKey();
      if (random(10) < deletions) {
        strictEqual(table.delete(key as ObjectKey), model.delete(key));
      } else {
        const entry = entryOf(key, random(1000));
        table.set(entry);
        model.set(key, entry);
      }
      strictEqual(table.has(key as ObjectKey), model.has(key));
      strictEqual(table.sequenceOf(key as ObjectKey), model.get(key)?.sequence);
    }
    check(table, model, "");
    for (let i = 0; i < 5; i++) check(table, model, someKey());
    deepStrictEqual(
      table.ofNuids(new Set([hashNuid("7"), hashNuid("70"), hashNuid("none")])).map(({ key }) =>
        key as string
      ),
      keysWhere(model, ({ sequence }) => sequence === 7 || sequence === 70),
    );
    const { keys, next } = table.before(500);
    deepStrictEqual(keys, keysWhere(model, ({ sequence }) => sequence < 500));
    const others = [...model.values()].map(({ sequence }) => sequence).filter((n) => n >= 500);
    strictEqual(next, Math.min(...others));
  }
  for (const key of model.keys()) table.delete(key as ObjectKey);
  check(table, new Map(), "");
});

Deno.test("KeyTable takes keys in ascending and in descending order", () => {
  const keys = Array.from({ length: 2000 }, (_, i) => `k${String(i).padStart(5, "0")}`);
  for (const ordered of [keys, keys.toReversed()]) {
    const table = new KeyTable();
    for (const key of ordered) table.set(entryOf(key, 1));
    deepStrictEqual(allFrom(table, "").map(({ key }) => key as string), keys);
    ok(table.bytes > 2000 * 60 && table.bytes < 2000 * 160, `${table.bytes} bytes`);
    for (const key of keys) table.delete(key as ObjectKey);
    strictEqual(table.bytes < 50_000, true);
  }
});

Deno.test("KeyTable holds the longest keys, and is asked for longer texts", () => {
  const table = new KeyTable();
  const keys = ["\uffff".repeat(341), "a".repeat(1024), "b".repeat(1024), "\u{10ffff}".repeat(256)];
  for (const [i, key] of keys.entries()) table.set(entryOf(key, i));
  const sorted = keys.toSorted(compareUtf8);
  deepStrictEqual(allFrom(table, "").map(({ key }) => key as string), sorted);
  deepStrictEqual(allFrom(table, "a".repeat(5000))[0]?.key as string, "b".repeat(1024));
  deepStrictEqual(allFrom(table, "\u{10ffff}".repeat(5000)), []);
});
