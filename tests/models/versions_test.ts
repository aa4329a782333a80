/** Tests the versions protocol by its model. `tests/soak/versions_model_test.ts` runs more random schedules. */

import { notStrictEqual, strictEqual } from "node:assert/strict";
import { Random } from "../simulation/random.ts";
import { type Place, PLACES } from "./versions_broken.ts";
import { exploreAtRandom, exploreGroup } from "./versions_explorer.ts";
import { type AnyRule, BROKEN_RULES } from "./versions_rules.ts";
import { GROUPS } from "./versions_scenarios.ts";
import { runSeed } from "./versions_seeds.ts";

for (const [name, group] of Object.entries(GROUPS)) {
  Deno.test(`every interleaving of two operations keeps the promises: ${name}`, () => {
    const { violation, trace } = exploreGroup(group);
    strictEqual(violation, undefined, trace.join("\n"));
  });
}

Deno.test("random schedules with lost answers, crashes, late publishes and expiry keep the promises", () => {
  for (let seed = 0; seed < 2000; seed++) {
    const { violation, trace } = runSeed(seed);
    strictEqual(violation, undefined, `seed ${seed}\n${trace.join("\n")}`);
  }
});

/** Returns what is wrong at a place, and the steps that lead there. */
function explore(place: Place, broken?: AnyRule): string | undefined {
  if (typeof place === "string") {
    const { violation, trace } = exploreGroup(GROUPS[place], broken);
    return violation === undefined ? undefined : trace.join("\n");
  }
  const { unanswered = 0, crash = 0, expiry = 0 } = place;
  const random = new Random(1);
  for (let run = 0; run < SCHEDULES; run++) {
    const faults = { unanswered, crash, expiry };
    const { violation, trace } = exploreAtRandom(place, random, faults, broken);
    if (violation !== undefined) return [violation, ...trace].join("\n");
  }
  return undefined;
}

/** Number of random schedules of one scenario. */
const SCHEDULES = 3000;

for (const rule of BROKEN_RULES) {
  Deno.test(`the explorer finds a broken rule: ${rule}`, () => {
    const place = PLACES[rule];
    notStrictEqual(explore(place, rule), undefined);
  });
}
