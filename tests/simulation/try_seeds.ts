/**
 * Simulates one seed after the other and prints a line of JSON about each: `find_faults.ts` runs it beside a changed source.
 * @module
 */

// deno-lint-ignore-file no-console

import { simulate } from "./simulation.ts";

/** What became of a seed. */
export type Tried = {
  readonly seed: number;
  readonly steps: number;
  readonly violations: readonly string[];
};

if (import.meta.main) {
  const [first = 1] = Deno.args.map(Number);
  for (let seed = first;; seed++) {
    const { steps, violations } = await simulate(seed);
    const tried: Tried = { seed, steps, violations: violations.map((text) => text.slice(0, 2000)) };
    console.log(JSON.stringify(tried));
  }
}
