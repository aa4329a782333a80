/**
 * What goes wrong in a simulation, and when: a plan that a seed makes.
 * @module
 */

import type { Random } from "./random.ts";

/** A kind of fault. */
export type FaultKind =
  | "cut"
  | "dark"
  | "slow"
  | "loss"
  | "pause"
  | "denied"
  | "kill"
  | "jump"
  | "election"
  | "stall"
  | "lag"
  | "restart"
  | "meta"
  | "stop"
  | "power";

/** One fault. */
export type Fault = {
  /** Its place in the plan. */
  readonly index: number;
  /** Milliseconds of simulated time. */
  readonly at: number;
  readonly kind: FaultKind;
  /** Which gateway, or which copy of a stream. */
  readonly target: number;
  /** Milliseconds. */
  readonly lasts: number;
  /** A number of at least 0 and below 1, for whatever else is to be decided. */
  readonly decision: number;
};

/** Kinds that keep no gateway from reaching the server in time. */
export const HARMLESS: ReadonlySet<FaultKind> = new Set(["kill", "stop", "jump", "lag"]);

/** How often each kind occurs, relative to the others. */
export type FaultMix = Readonly<Partial<Record<FaultKind, number>>>;

/** Mixes, from one of which a run takes its faults. */
export const MIXES: readonly FaultMix[] = [
  {},
  { kill: 1, stop: 1, jump: 1, lag: 1 },
  { cut: 2, dark: 1, loss: 2 },
  { loss: 1 },
  { denied: 1, cut: 1 },
  { slow: 3, pause: 2, loss: 1 },
  { kill: 2, stop: 1, cut: 1 },
  { election: 3, lag: 3, slow: 1 },
  { election: 2, stall: 3, cut: 1 },
  { meta: 1 },
  { meta: 2, loss: 2, slow: 1 },
  { restart: 1, cut: 1 },
  { power: 1 },
  { power: 1, kill: 1, slow: 1 },
  {
    cut: 2,
    dark: 1,
    slow: 3,
    loss: 2,
    pause: 2,
    kill: 2,
    jump: 1,
    election: 2,
    lag: 2,
    restart: 1,
    stop: 1,
  },
];

/** Shortest and longest duration of each kind, in milliseconds. */
const DURATIONS: Readonly<Record<FaultKind, readonly [least: number, most: number]>> = {
  cut: [1, 4000],
  dark: [10, 8000],
  slow: [10, 7000],
  denied: [10, 8000],
  loss: [10, 20_000],
  pause: [5, 60_000],
  kill: [10, 5000],
  stop: [10, 3000],
  jump: [1, 1],
  election: [5, 3000],
  stall: [100, 8000],
  lag: [1, 3000],
  restart: [50, 4000],
  meta: [1000, 20_000],
  power: [50, 4000],
};

/** Power failures of a run, during which clients wait. */
const MAX_FAILURES = 3;

/** Makes the faults of a run, in order of time. */
export function planFaults(
  random: Random,
  { mix, until, between, targets }: {
    readonly mix: FaultMix;
    /** Milliseconds of simulated time after which nothing begins to fail. */
    readonly until: number;
    /** Milliseconds between two faults on the average. */
    readonly between: number;
    readonly targets: number;
  },
): readonly Fault[] {
  const kinds = Object.entries(mix) as [FaultKind, number][];
  const total = kinds.reduce((sum, [, weight]) => sum + weight, 0);
  const faults: Fault[] = [];
  let failures = 0;
  if (total === 0) return faults;
  for (let at = random.next() * between; at < until; at += 2 * random.next() * between) {
    let left = random.next() * total;
    const kind = kinds.find(([, weight]) => (left -= weight) < 0)?.[0] ?? "cut";
    if (kind === "power" && ++failures > MAX_FAILURES) continue;
    const [least, most] = DURATIONS[kind];
    faults.push({
      index: faults.length,
      at,
      kind,
      target: random.below(targets),
      lasts: random.between(least, most),
      decision: random.next(),
    });
  }
  return faults;
}
