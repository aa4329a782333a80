/**
 * Simulates one seed after the other and prints a line of JSON about each: `find_faults.ts` runs it beside a changed source.
 * @module
 */

// deno-lint-ignore-file no-console

import { type Plan, planOf } from "./plan.ts";
import { simulate } from "./simulation.ts";

/** What became of a seed. */
export type Tried = {
  readonly seed: number;
  readonly steps: number;
  readonly violations: readonly string[];
};

/** Tells whether a plan has what a fault needs: the name of a fault, of something done by hand, or one of these words. */
export function has(plan: Plan, need: string): boolean {
  const { shape, fleetingShare, byHand, faults, versions } = plan;
  switch (need) {
    case "versions":
      return versions !== undefined;
    case "suspended":
      return versions?.isSuspended === true;
    case "locks":
      return versions?.hasLocks === true;
    case "lifecycle":
      return versions?.lifecycle !== undefined;
    case "natives":
      return plan.natives > 0;
    case "without-natives":
      return plan.natives === 0;
    case "copies":
      return shape.replicas > 1;
    case "mirror":
      return shape.replicas === 1 && shape.mirror !== undefined;
    case "fleeting":
      return fleetingShare > 0;
    case "pages":
      return shape.page !== undefined;
    case "one-by-one":
      return shape.readAhead !== undefined;
    case "limited":
      return shape.quota !== undefined || byHand.has("full");
    case "rare-sweeps":
      return shape.sweepsRarely;
    case "quiet":
      return faults.length === 0;
    default:
      return faults.some(({ kind }) => kind === need) || byHand.has(need as never);
  }
}

if (import.meta.main) {
  const [first, ...needs] = Deno.args;
  for (let seed = Number(first);; seed++) {
    const plan = planOf(seed);
    if (!needs.every((need) => has(plan, need))) continue;
    const { steps, violations } = await simulate(seed);
    const tried: Tried = { seed, steps, violations: violations.map((text) => text.slice(0, 2000)) };
    console.log(JSON.stringify(tried));
  }
}
