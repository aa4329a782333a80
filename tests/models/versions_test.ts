/** Tests the versions protocol by its model. `tests/soak/versions_model_test.ts` runs more random schedules. */

import { strictEqual } from "node:assert/strict";
import { exploreAll } from "./versions_explorer.ts";
import { runSeed } from "./versions_seeds.ts";
import { another, KEYS, OPERATIONS } from "./versions_scenarios.ts";

Deno.test("every interleaving of two operations on a key is linearizable", () => {
  for (const isSmall of [true, false]) {
    for (const key of ["two", "current null", "old null"] as const) {
      const operations = OPERATIONS[key];
      for (const [i, one] of operations.entries()) {
        for (const other of operations.slice(i)) {
          const programs = [[one], [another(other)]];
          const { violation, trace } = exploreAll({ versions: KEYS[key], programs, isSmall });
          strictEqual(violation, undefined, `${JSON.stringify(programs)}\n${trace.join("\n")}`);
        }
      }
    }
  }
});

Deno.test("random schedules with lost answers, crashes, late publishes and expiry are linearizable", () => {
  for (let seed = 0; seed < 2000; seed++) {
    const { violation, trace } = runSeed(seed);
    strictEqual(violation, undefined, `seed ${seed}\n${trace.join("\n")}`);
  }
});
