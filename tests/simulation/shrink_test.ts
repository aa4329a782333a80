/** Shrinking finds what a violation needs. */

import { deepStrictEqual } from "node:assert/strict";
import { shrink } from "./shrink.ts";
import { planOf } from "./plan.ts";
import type { Omissions, Outcome } from "./simulation.ts";
import { Trace } from "./trace.ts";

Deno.test("shrink() leaves the two operations and the fault that a violation needs", async () => {
  const seed = Array.from({ length: 1000 }, (_, seed) => seed)
    .find((seed) => planOf(seed).faults.length > 5 && planOf(seed).clients > 3) ?? 0;
  const plan = planOf(seed);
  let last: Omissions | undefined;
  const run = (_: number, omitted: Omissions): Promise<Outcome> => {
    const { operations, faults } = omitted;
    const fails = !operations.has("0.3") && !operations.has("2.7") && !faults.has(4);
    if (fails) last = omitted;
    const violations = fails ? [`key/${operations.size} is lost`] : [];
    return Promise.resolve({
      plan,
      steps: 1,
      violations,
      trace: new Trace(() => 0),
      counts: new Map(),
      operations: { all: new Set(), called: new Set() },
    });
  };
  const failed = await run(seed, { operations: new Set(), faults: new Set() });
  const { items } = await shrink(seed, failed, run);
  deepStrictEqual(items[1], 3);
  deepStrictEqual(
    [last?.operations.has("0.3"), last?.operations.has("2.7"), last?.faults.has(4)],
    [false, false, false],
  );
});
