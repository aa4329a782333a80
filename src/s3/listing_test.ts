import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  afterPrefix,
  compareUploads,
  compareUtf8,
  listPage,
  listUploadPage,
  type Page,
  sortedKeys,
} from "./listing.ts";

const WEIRD = [
  "",
  "a",
  "aa",
  "b",
  "é",
  "e\u0301",
  "\u0001",
  "！",
  "\ue000",
  "\uffff",
  "😀",
  "\ud7ff",
  "a😀",
  "a！",
  "\u{10ffff}",
];

Deno.test("compareUtf8() agrees with the bytes", () => {
  for (const a of WEIRD) {
    for (const b of WEIRD) {
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
      strictEqual(Math.sign(compareUtf8(a, b)), bytes, `${a} ${b}`);
    }
  }
});

Deno.test("afterPrefix() is above all that begins with the prefix, and below what follows", () => {
  for (const prefix of WEIRD.slice(1)) {
    const next = afterPrefix(prefix);
    for (const text of WEIRD) {
      if (text.startsWith(prefix) || compareUtf8(text, prefix) < 0) {
        ok(next === undefined || compareUtf8(text, next) < 0);
      } else ok(next !== undefined && compareUtf8(text, next) >= 0);
    }
  }
});

function pages(
  keys: readonly string[],
  prefix: string,
  delimiter: string,
  limit: number,
): string[] {
  const index = sortedKeys(keys.map((key) => ({ key })).sort((a, b) => compareUtf8(a.key, b.key)));
  const shown: string[] = [];
  let after: string | undefined = "";
  while (after !== undefined) {
    const page: Page<{ key: string }> = listPage(index, { prefix, delimiter, after, limit });
    ok(page.entries.length + page.commonPrefixes.length <= limit);
    shown.push(
      ...[...page.entries.map(({ key }) => key), ...page.commonPrefixes].sort(compareUtf8),
    );
    after = page.next;
  }
  return shown;
}

Deno.test("listPage() shows each item once, whatever the size of the page", () => {
  const keys = ["a", "a/", "a/1", "a/2/x", "a0", "b//c", "b//d", "b/", "c😀/1", "c！/1", "d", "d/"];
  const rows: [prefix: string, delimiter: string, expected: string[]][] = [
    ["", "", [...keys].sort(compareUtf8)],
    ["", "/", ["a", "a/", "a0", "b/", "c！/", "c😀/", "d", "d/"]],
    ["a/", "/", ["a/", "a/1", "a/2/"]],
    ["b/", "/", ["b/", "b//"]],
    ["", "//", ["a", "a/", "a/1", "a/2/x", "a0", "b/", "b//", "c！/1", "c😀/1", "d", "d/"]],
    ["zz", "/", []],
    ["a", "", ["a", "a/", "a/1", "a/2/x", "a0"]],
  ];
  for (const [prefix, delimiter, expected] of rows) {
    for (const limit of [1, 2, 3, 1000]) {
      deepStrictEqual(pages(keys, prefix, delimiter, limit), expected, `${prefix} ${delimiter}`);
    }
  }
});

Deno.test("listPage() begins after a text", () => {
  const index = sortedKeys(["a/1", "a/2", "b"].map((key) => ({ key })));
  const list = (after: string, delimiter = "/") => {
    const { entries, commonPrefixes } = listPage(index, { prefix: "", delimiter, after, limit: 9 });
    return [...commonPrefixes, ...entries.map(({ key }) => key)];
  };
  deepStrictEqual(list("a/"), ["b"]);
  deepStrictEqual(list("a/1"), ["a/", "b"]);
  deepStrictEqual(list("a/2"), ["b"]);
  deepStrictEqual(list("a/1", ""), ["a/2", "b"]);
  deepStrictEqual(list("b"), []);
});

Deno.test("listPage() of no items is not truncated", () => {
  const index = sortedKeys([{ key: "a" }]);
  deepStrictEqual(listPage(index, { prefix: "", delimiter: "", after: "", limit: 0 }), {
    entries: [],
    commonPrefixes: [],
    next: undefined,
  });
});

Deno.test("listPage() seeks past what a delimiter hides", () => {
  let steps = 0;
  const keys = sortedKeys(Array.from({ length: 1000 }, (_, i) => ({ key: `a/${1000 + i}` })));
  const index = {
    *from(text: string): Iterator<{ key: string }> {
      const iterator = keys.from(text);
      for (let step = iterator.next(); !step.done; step = iterator.next()) {
        steps++;
        yield step.value;
      }
    },
  };
  deepStrictEqual(listPage(index, { prefix: "", delimiter: "/", after: "", limit: 10 }), {
    entries: [],
    commonPrefixes: ["a/"],
    next: undefined,
  });
  strictEqual(steps, 1);
});

type Markers = { readonly keyMarker: string; readonly uploadIdMarker: string };

Deno.test("listUploadPage() pages through uploads of one key", () => {
  const uploads = [["a", "2", 1], ["a", "1", 2], ["b/x", "3", 0], ["b/y", "4", 0], ["c", "5", 0]]
    .map(([key, id, time]) => ({
      key: String(key),
      id: String(id),
      initiated: new Date(Number(time)),
    }))
    .sort(compareUploads);
  for (const limit of [1, 2, 5]) {
    const shown: string[] = [];
    let markers: Markers | undefined = { keyMarker: "", uploadIdMarker: "" };
    while (markers !== undefined) {
      const query = { prefix: "", delimiter: "/", limit, ...markers };
      const page: ReturnType<typeof listUploadPage<typeof uploads[number]>> = listUploadPage(
        uploads,
        query,
      );
      shown.push(...page.uploads.map(({ id }) => id), ...page.commonPrefixes);
      markers = page.next;
    }
    deepStrictEqual(shown.toSorted(), ["1", "2", "5", "b/"]);
  }
});
