/** A few hundred bad days, always the same ones. */

import { deepStrictEqual, notStrictEqual, strictEqual } from "node:assert/strict";
import { simulate } from "./simulation.ts";

/** Seeds that the test runs, from the first on. */
const [FIRST, SEEDS] = [1, 60];

Deno.test(`store keeps its promises in ${SEEDS} simulations`, async () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const { violations } = await simulate(seed);
    deepStrictEqual(violations, [], `deno task simulate --seed ${seed} shows the trace`);
  }
});

Deno.test("simulation of a seed does the same each time", async () => {
  const [first, second, other] = [await simulate(7), await simulate(7), await simulate(8)];
  strictEqual(first.steps, second.steps);
  strictEqual(first.trace.digest(), second.trace.digest());
  notStrictEqual(first.trace.digest(), other.trace.digest());
});
