/**
 * Random runs of the versions model: a seed decides the key, the clients, the faults and the schedule.
 * @module
 */

import { Random } from "../simulation/random.ts";
import { exploreAtRandom, type Faults } from "./versions_explorer.ts";
import { randomScenario, type Theme } from "./versions_random.ts";
import type { AnyRule } from "./versions_rules.ts";

const NO_FAULTS: Faults = { unanswered: 0, crash: 0, expiry: 0 };
const FAULTS: readonly Faults[] = [
  NO_FAULTS,
  { unanswered: 0.15, crash: 0, expiry: 0 },
  { unanswered: 0, crash: 0.06, expiry: 0.05 },
  { unanswered: 0.1, crash: 0.05, expiry: 0.05 },
];

const THEMES: readonly Theme[] = ["plain", "native", "lease", "lock", "full"];

/** Returns the theme of a seed. */
export function themeOf(seed: number): Theme {
  return THEMES[seed % THEMES.length] ?? "plain";
}

/** Runs the schedule of a seed. */
export function runSeed(seed: number, broken?: AnyRule): ReturnType<typeof exploreAtRandom> {
  const random = new Random(seed);
  const scenario = randomScenario(random, themeOf(seed));
  return exploreAtRandom(scenario, random, random.pick(FAULTS), broken);
}
