/** The short version of `tests/soak/random_kills_test.ts`. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { runRandomKills } from "./random_kills.ts";

Deno.test("30 random kills lose nothing and show nothing impossible", async () => {
  const { kills, problems } = await runRandomKills({ kills: 30, seed: 1 });
  deepStrictEqual(problems, []);
  strictEqual(Object.values(kills).reduce((sum, count) => sum + count, 0), 30);
});
