import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { compareUtf8 } from "./key_order.ts";
import { newVersionId, NULL_VERSION, type VersionId } from "./version_id.ts";
import {
  formatVersionMarker,
  listVersionPage,
  parseVersionMarker,
  type SortedVersions,
  type VersionOrder,
} from "./version_listing.ts";

const idOf = (ordinal: number): VersionId => newVersionId(ordinal, new Uint8Array(22));
const nullAt = (key: string, ordinal: number): VersionOrder => ({
  key,
  versionId: NULL_VERSION,
  ordinal,
});
const version = (key: string, ordinal: number): VersionOrder => ({
  key,
  versionId: idOf(ordinal),
  ordinal,
});

/** Versions in an array. It counts those that a walk has taken. */
function indexOf(
  rows: readonly VersionOrder[],
): SortedVersions<VersionOrder> & { taken: number } {
  return {
    taken: 0,
    *from(key, below = NaN) {
      for (const row of rows) {
        if (compareUtf8(row.key, key) < 0 || row.key === key && row.ordinal >= below) continue;
        this.taken++;
        yield row;
      }
    },
    nullOrdinal: (key) =>
      rows.find((row) => row.key === key && row.versionId === NULL_VERSION)?.ordinal,
  };
}

const ROWS = [
  nullAt("a", Infinity),
  version("a", 2),
  version("a", 1),
  version("b/1", 1),
  version("b/2", 3),
  version("b/2", 2),
  version("c", 8),
  nullAt("c", 7),
  version("c", 6),
  nullAt("c/d", 0),
];
const nameOf = ({ key, versionId, ordinal }: VersionOrder): string =>
  `${key} ${versionId === NULL_VERSION ? "null" : ordinal}`;

/** Lists all pages of at most `limit` items and returns what they show. */
function listAll(prefix: string, delimiter: string, limit: number): string[] {
  const shown: string[] = [];
  let next: ReturnType<typeof listVersionPage>["next"] = { key: "", version: undefined };
  while (next !== undefined) {
    const query = { prefix, delimiter, limit, afterKey: next.key, afterVersion: next.version };
    const page: ReturnType<typeof listVersionPage<VersionOrder>> = listVersionPage(
      indexOf(ROWS),
      query,
    );
    strictEqual(page.entries.length + page.commonPrefixes.length <= limit, true);
    // A common prefix comes before the entries that are above it.
    const items = [
      ...page.entries.map((row) => ({ at: row.key, name: nameOf(row) })),
      ...page.commonPrefixes.map((at) => ({ at, name: at })),
    ];
    shown.push(...items.sort((a, b) => compareUtf8(a.at, b.at)).map(({ name }) => name));
    next = page.next;
  }
  return shown;
}

Deno.test("lists versions in pages of any size", () => {
  const rows: [prefix: string, delimiter: string, expected: string[]][] = [
    ["", "", ROWS.map(nameOf)],
    ["", "/", ["a null", "a 2", "a 1", "b/", "c 8", "c null", "c 6", "c/"]],
    ["b/", "/", ["b/1 1", "b/2 3", "b/2 2"]],
    ["c", "", ["c 8", "c null", "c 6", "c/d null"]],
    ["none", "/", []],
  ];
  for (const [prefix, delimiter, expected] of rows) {
    for (const limit of [1, 2, 3, 1000]) {
      deepStrictEqual(listAll(prefix, delimiter, limit), expected, `${prefix} by ${limit}`);
    }
  }
});

Deno.test("resumes after a version, wherever it is among those of its key", () => {
  const after = (afterKey: string, afterVersion: string | undefined, delimiter = ""): string[] => {
    const query = { prefix: "", delimiter, limit: 3, afterKey, afterVersion };
    const { entries, commonPrefixes } = listVersionPage(indexOf(ROWS), query);
    return [...commonPrefixes, ...entries.map(nameOf)];
  };
  deepStrictEqual(after("a", "null"), ["a 2", "a 1", "b/1 1"]);
  deepStrictEqual(after("c", "null"), ["c 6", "c/d null"]);
  deepStrictEqual(after("c", "0000000007null"), ["c 6", "c/d null"]);
  deepStrictEqual(after("c", "0000000008null"), ["c null", "c 6", "c/d null"]);
  deepStrictEqual(after("c", idOf(7)), ["c 6", "c/d null"], "a version that is gone");
  deepStrictEqual(after("b/2", "null"), ["b/2 3", "b/2 2", "c 8"], "null is gone");
  deepStrictEqual(after("a", undefined), ["b/1 1", "b/2 3", "b/2 2"]);
  deepStrictEqual(after("aa", idOf(1)), ["b/1 1", "b/2 3", "b/2 2"], "a key that is gone");
  deepStrictEqual(after("c/d", "null"), []);
  deepStrictEqual(after("b/", idOf(1), "/"), ["c 8", "c null", "c 6"], "a common prefix");
  deepStrictEqual(after("b/2", idOf(3), "/"), ["b/", "c 8", "c null"]);
});

Deno.test("lists no versions for a limit of 0", () => {
  const query = { prefix: "", delimiter: "", limit: 0, afterKey: "", afterVersion: undefined };
  deepStrictEqual(listVersionPage(indexOf(ROWS), query), {
    entries: [],
    commonPrefixes: [],
    next: undefined,
  });
});

Deno.test("never walks over versions that a common prefix hides", () => {
  const rows = Array.from({ length: 1000 }, (_, i) => version("a/k", 1000 - i));
  const index = indexOf([...rows, version("b", 1)]);
  const query = { prefix: "", delimiter: "/", limit: 5, afterKey: "", afterVersion: undefined };
  const { entries, commonPrefixes } = listVersionPage(index, query);
  deepStrictEqual([...commonPrefixes, ...entries.map(nameOf)], ["a/", "b 1"]);
  strictEqual(index.taken, 2);
});

Deno.test("parses the positions that it formats", () => {
  for (const { versionId, ordinal } of ROWS) {
    const position = parseVersionMarker(formatVersionMarker({ versionId, ordinal }));
    const isStated = versionId !== NULL_VERSION || ordinal > 0 && ordinal < Infinity;
    strictEqual(position, isStated ? ordinal : null);
  }
  for (const text of ["", "NULL", "x", "00000000-7null", "000000007null", "a".repeat(33)]) {
    throws(() => parseVersionMarker(text), { code: "InvalidArgument" }, text);
  }
});
