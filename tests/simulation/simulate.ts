/**
 * Simulates seeds until one fails: `deno task simulate [--seed N] [--steps N] [--for 10m]`.
 * @module
 */

// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { simulate } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "1" },
    steps: { type: "string" },
    for: { type: "string" },
    trace: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
  },
});
const first = Number(values.seed ?? Date.now() % 2 ** 31);
const seeds = Number(values.seeds);
const began = performance.now();
let steps = 0;
let failed = 0;
const counts = new Map<string, number>();
for (let seed = first; seed < first + seeds; seed++) {
  const outcome = await simulate(seed);
  steps += outcome.steps;
  for (const [name, count] of outcome.counts) counts.set(name, (counts.get(name) ?? 0) + count);
  if (values.trace) { for (const line of outcome.trace.lines()) console.log(line); }
  if (outcome.violations.length > 0) {
    failed++;
    console.log(
      `seed ${seed}: ${JSON.stringify({ ...outcome.plan, faults: outcome.plan.faults.length })}`,
    );
    for (const violation of outcome.violations.slice(0, 3)) {
      console.log(`  ${violation.slice(0, 1500)}`);
    }
  }
}
const seconds = (performance.now() - began) / 1000;
console.log([...counts].sort().map(([name, count]) => `${name} ${count}`).join("\n"));
console.log(
  `${seeds} seeds, ${failed} failed, ${steps} steps in ${seconds.toFixed(1)} s: ${
    (steps / seconds).toFixed(0)
  } a second`,
);
