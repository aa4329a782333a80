import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { compareUtf8, sortedKeys } from "./key_order.ts";
import { listPage, type Page } from "./listing.ts";

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

Deno.test("listPage() shows each item once with pages of any size", () => {
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

Deno.test("listPage() returns an empty page that is not truncated for a limit of 0", () => {
  const index = sortedKeys([{ key: "a" }]);
  deepStrictEqual(listPage(index, { prefix: "", delimiter: "", after: "", limit: 0 }), {
    entries: [],
    commonPrefixes: [],
    next: undefined,
  });
});

Deno.test("listPage() seeks past keys that a delimiter hides", () => {
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
