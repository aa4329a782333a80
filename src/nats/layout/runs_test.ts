import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { formatRuns, formatSequences, parseRuns, parseSequences } from "./runs.ts";

Deno.test("formatSequences() stays short for the chunks of interleaved writers", () => {
  const every = Array.from({ length: 4096 }, (_, i) => 1_000_000 + 3 * i);
  ok(formatSequences(every).length < 16);
  deepStrictEqual(parseSequences(formatSequences(every)), every);
});

Deno.test("parseSequences() reads what formatSequences() wrote", () => {
  for (const sequences of [[1], [7, 9], [5, 6, 7, 100, 101], [2 ** 50, 2 ** 50 + 1]]) {
    deepStrictEqual(parseSequences(formatSequences(sequences)), sequences);
  }
});

Deno.test("parseSequences() rejects texts that it cannot trust", () => {
  for (
    const text of ["", "a,,b", "1*zzzzzz", "1,0", "0", "-1", "1*0", "1**2", "x y", "9".repeat(40)]
  ) {
    strictEqual(parseSequences(text), undefined, text);
  }
  strictEqual(parseSequences(undefined), undefined);
});

Deno.test("formatRuns() counts equal neighbours", () => {
  strictEqual(formatRuns([5, 5, 5, 17]), "5*3,17");
  deepStrictEqual(parseRuns("5*3,17"), [5, 5, 5, 17]);
});
