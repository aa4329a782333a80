/** A hundred bad days, always the same ones. */

import { notStrictEqual, strictEqual } from "node:assert/strict";
import { testSeeds } from "./seeds.ts";
import { simulate } from "./simulation.ts";

testSeeds(0);

Deno.test("simulation of a seed does the same each time", async () => {
  const [first, second, other] = [await simulate(7), await simulate(7), await simulate(8)];
  strictEqual(first.steps, second.steps);
  strictEqual(first.trace.digest(), second.trace.digest());
  notStrictEqual(first.trace.digest(), other.trace.digest());
});
