/**
 * Fixed seeds, which files of tests share among them: files run at the same time.
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";
import { simulate } from "./simulation.ts";

/** Operations that no simulation has yet: those of users, reads as of a time, and a count that listings show as well. */
const NOT_SIMULATED = /^users\.|^(?:versionAsOf|administration\.countVersions)$/;
/** Seeds of one file. */
const SEEDS = 100;

/** Registers a test of some seeds that no other file has. */
export function testSeeds(file: number): void {
  const first = file * SEEDS + 1;
  Deno.test(`store keeps its promises in the simulations ${first} to ${first + SEEDS - 1}`, async () => {
    const all = new Set<string>();
    const called = new Set<string>();
    for (let seed = first; seed < first + SEEDS; seed++) {
      const { violations, operations } = await simulate(seed);
      deepStrictEqual(violations, [], `deno task simulate --seed ${seed} shows the trace`);
      for (const name of operations.all) all.add(name);
      for (const name of operations.called) called.add(name);
    }
    const uncalled = [...all.difference(called)].filter((name) => !NOT_SIMULATED.test(name));
    deepStrictEqual(uncalled, [], "operations of the store that nobody calls");
  });
}
