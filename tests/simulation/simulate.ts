/**
 * Simulates seeds until one fails: `deno task simulate [--seed N] [--seeds N] [--steps N] [--for 10m] [--trace]`.
 *
 * It prints the seed of each failing simulation, and its shrunken trace. `--seed` alone runs that seed.
 * @module
 */

// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { shrink } from "./shrink.ts";
import { type Outcome, simulate } from "./simulation.ts";

const UNITS = { s: 1000, m: 60_000, h: 3_600_000 } as const;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    steps: { type: "string" },
    for: { type: "string" },
    /** Prints the whole trace of each seed. */
    trace: { type: "boolean", default: false },
    /** Goes on after a failing seed, without shrinking it. */
    continue: { type: "boolean", default: false },
    /** Stops at a failing seed, and prints its first violation alone. */
    brief: { type: "boolean", default: false },
    /** Prints how the operations of clients ended. */
    counts: { type: "boolean", default: false },
  },
});

function milliseconds(text: string): number {
  const [, number, unit] = /^(\d+)([smh])$/.exec(text) ?? [];
  if (unit === undefined) throw new TypeError(`Cannot read the duration "${text}": write 10m`);
  return Number(number) * UNITS[unit as keyof typeof UNITS];
}

const first = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const isOne = values.seed !== undefined && values.seeds === undefined && values.for === undefined &&
  values.steps === undefined;
const limit = {
  seeds: isOne ? 1 : Number(values.seeds ?? Infinity),
  steps: Number(values.steps ?? Infinity),
  time: values.for === undefined ? Infinity : milliseconds(values.for),
};
const began = performance.now();
const counts = new Map<string, number>();
let [seeds, steps, failures] = [0, 0, 0];

while (
  seeds < limit.seeds && steps < limit.steps && performance.now() - began < limit.time
) {
  const seed = first + seeds++;
  const outcome = await simulate(seed);
  steps += outcome.steps;
  for (const [name, count] of outcome.counts) counts.set(name, (counts.get(name) ?? 0) + count);
  if (values.trace) print(outcome);
  if (outcome.violations.length === 0) continue;
  failures++;
  if (values.brief) {
    console.log(outcome.violations[0]?.split("\n", 1)[0]?.slice(0, 200));
    break;
  }
  report(seed, outcome);
  if (values.continue) continue;
  if (!values.trace) {
    const { outcome: small, items: [before, after], runs } = await shrink(seed, outcome);
    console.log(`shrunken from ${before} operations and faults to ${after} in ${runs} runs:`);
    report(seed, small);
    print(small);
  }
  break;
}

const seconds = (performance.now() - began) / 1000;
if (values.counts) {
  for (const [name, count] of [...counts].sort()) {
    console.log(`${name} ${count}`);
  }
}
console.log(
  `${seeds} seeds from ${first} on, ${failures} failed; ${steps} steps in ${
    seconds.toFixed(1)
  } s, ` +
    `${Math.round(steps / seconds)} a second`,
);
if (failures > 0) Deno.exitCode = 1;

function report(seed: number, { plan, violations }: Outcome): void {
  const { shape, clients, operations, keys, faults } = plan;
  console.log(
    `seed ${seed}: ${shape.gateways} gateways, ${shape.replicas} copies, native layout ${shape.nativeLayout}, ` +
      `${clients} clients with ${operations} operations on ${keys.length} keys, ${faults.length} faults`,
  );
  for (const violation of violations) console.log(`  ${violation.slice(0, 3000)}`);
}

function print({ trace }: Outcome): void {
  for (const line of trace.lines()) console.log(line);
}
