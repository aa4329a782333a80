/**
 * Makes a failing simulation small: leaves out operations and faults as long as the violation stays. What is left is what a
 * person has to read.
 * @module
 */

import { planOf } from "./plan.ts";
import { type Omissions, type Outcome, simulate } from "./simulation.ts";

/** An operation or a fault that may be left out. */
type Item = { readonly operation: string } | { readonly fault: number };

/** A simulation that was made small. */
export type Shrunken = {
  readonly outcome: Outcome;
  /** The number of operations and faults before and after. */
  readonly items: readonly [before: number, after: number];
  readonly runs: number;
};

/** Runs after which it has to be small enough. */
const MAX_RUNS = 400;

/** Shrinks the simulation of a failing seed. */
export async function shrink(
  seed: number,
  failed: Outcome,
  run: (seed: number, omitted: Omissions) => Promise<Outcome> = simulate,
  maxRuns = MAX_RUNS,
): Promise<Shrunken> {
  const all = itemsOf(seed);
  const wanted = kindOf(failed);
  let kept = all;
  let outcome = failed;
  let runs = 0;
  for (let size = Math.ceil(kept.length / 2); size >= 1 && runs < maxRuns;) {
    let isSmaller = false;
    for (let begin = 0; begin < kept.length && runs < maxRuns;) {
      const tried = [...kept.slice(0, begin), ...kept.slice(begin + size)];
      runs++;
      const result = await run(seed, omissionsOf(all, tried));
      if (kindOf(result) === wanted) {
        kept = tried;
        outcome = result;
        isSmaller = true;
      } else begin += size;
    }
    if (size === 1 && !isSmaller) break;
    size = Math.max(1, Math.min(Math.floor(size / 2), Math.ceil(kept.length / 2)));
  }
  return { outcome, items: [all.length, kept.length], runs };
}

function itemsOf(seed: number): readonly Item[] {
  const { clients, natives, operations, faults } = planOf(seed);
  const items: Item[] = [];
  for (let client = 0; client < clients; client++) {
    for (let index = 0; index < operations; index++) {
      items.push({ operation: `${client}.${index}` });
    }
  }
  for (let native = 0; native < natives; native++) {
    for (let index = 0; index < operations; index++) {
      items.push({ operation: `native${native}.${index}` });
    }
  }
  return [...faults.map(({ index }) => ({ fault: index })), ...items];
}

function omissionsOf(all: readonly Item[], kept: readonly Item[]): Omissions {
  const stays = new Set(kept);
  const left = all.filter((item) => !stays.has(item));
  return {
    operations: new Set(left.flatMap((item) => "operation" in item ? [item.operation] : [])),
    faults: new Set(left.flatMap((item) => "fault" in item ? [item.fault] : [])),
  };
}

/** Returns the kind of the first violation, without names and numbers; undefined if there is none. */
function kindOf({ violations: [first] }: Outcome): string | undefined {
  return first?.split("\n", 1)[0]?.replace(/[0-9a-f]{8,}|\d+|[\w-]{24}/g, "#");
}
