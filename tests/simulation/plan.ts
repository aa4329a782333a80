/**
 * What a seed decides before its simulation begins.
 * @module
 */

import type { ObjectKey } from "../../src/s3/names.ts";
import { HAND_WORK, type HandWork } from "./by_hand.ts";
import type { ClusterShape } from "./cluster_shape.ts";
import { type Fault, MIXES, planFaults } from "./faults.ts";
import { Random } from "./random.ts";
import { canSend } from "./unswept.ts";

/** The plan of a simulation, which its seed makes. */
export type Plan = {
  readonly seed: number;
  readonly shape: ClusterShape;
  readonly clients: number;
  readonly operations: number;
  readonly keys: readonly ObjectKey[];
  /** The share of operations that go to a bucket which clients create and delete. */
  readonly fleetingShare: number;
  /** The number of native clients. */
  readonly natives: number;
  /** Longest pause of a client between two operations, in milliseconds. */
  readonly pace: number;
  /** What operators and odd clients do by hand. */
  readonly byHand: ReadonlySet<HandWork>;
  readonly faults: readonly Fault[];
  /** How the bucket that stays keeps versions; undefined if it does not. */
  readonly versions: VersionsPlan | undefined;
};

/** How a bucket keeps versions. */
export type VersionsPlan = {
  /** From its creation on, or once a client switches versioning on. */
  readonly fromBeginning: boolean;
  /** Clients suspend versioning, and switch it on again. */
  readonly isSuspended: boolean;
  /** Clients lock versions. */
  readonly hasLocks: boolean;
  /** Clients set lifecycle rules; undefined if they do not. */
  readonly lifecycle: LifecyclePlan | undefined;
};

/** How gateways carry lifecycle rules out. */
export type LifecyclePlan = {
  /** Milliseconds of a day. */
  readonly day: number;
};

/** Share of the simulations with versions and without native clients that have lifecycle rules. */
const WITH_LIFECYCLE = 0.25;

/** Decides by itself, so that the rest of a seed stays as it is without versions. */
function planVersions(
  seed: number,
  { natives, pace }: Pick<Plan, "natives" | "pace">,
): VersionsPlan | undefined {
  const random = new Random(seed * 50_331_653 + 17);
  if (!random.chance(1 / 3)) return undefined;
  const [fromBeginning, isSuspended] = [random.chance(0.6), random.chance(0.4)];
  const hasLocks = !isSuspended && random.chance(0.6);
  const hasLifecycle = natives === 0 && random.chance(WITH_LIFECYCLE);
  const lifecycle = hasLifecycle ? { day: pace > 1000 ? 12_000 : 4000 } : undefined;
  return { fromBeginning, isSuspended, hasLocks, lifecycle };
}

/** Subjects that mirrors copy. */
const MIRRORED = ["", "$O.bucket.S3.>", "$O.bucket.C.>", "$O.bucket.M.>"] as const;

/** Returns the probability that a simulation has something done by hand. */
function chanceOf(work: HandWork, faults: readonly Fault[]): number {
  if (work === "crowd") return faults.length === 0 ? 0.25 : 0.01;
  return work === "large" ? 0.04 : 0.1;
}

/** Makes the plan of a seed. */
export function planOf(seed: number): Plan {
  const random = new Random(seed);
  const shape: Omit<
    ClusterShape,
    "page" | "savedFrom" | "readAhead" | "sweepsRarely" | "hasLarge"
  > = {
    gateways: 1 + random.below(3),
    replicas: random.chance(0.4) ? 3 : 1,
    nativeLayout: random.pick(["off", "background", "on-complete"] as const),
    quota: random.chance(0.2) ? random.pick([20_000, 100_000]) : undefined,
    mirror: random.chance(0.35) ? random.pick(MIRRORED) : undefined,
  };
  const clients = 2 + random.below(7);
  const operations = 10 + random.below(40);
  const fleetingShare = random.chance(0.3) ? random.pick([0.2, 0.8, 0.95]) : 0;
  // A bucket can be deleted more often if there are few keys.
  const count = random.pick(fleetingShare > 0.5 ? [1, 1, 2] : [1, 1, 2, 3, 6]);
  const keys = Array.from({ length: count }, (_, i) => `key/${i}` as ObjectKey);
  const natives = random.chance(shape.quota === undefined ? 0.25 : 0.6) ? 1 + random.below(2) : 0;
  const pace = random.pick([2, 30, 300, 300, 3000]);
  const mix = random.pick(MIXES);
  const faults = planFaults(random.fork(), {
    mix,
    until: operations * Math.max(100, pace / 3),
    between: random.between(30, Math.max(2000, 2 * pace)),
    targets: shape.gateways,
  });
  const byHand = new Set(HAND_WORK.filter((work) => random.chance(chanceOf(work, faults))));
  // Pages overlap by a tenth, so a list misses what many add while it waits for the next page.
  const hasPages = faults.length === 0 && (byHand.has("crowd") || random.chance(0.5));
  const rare = {
    page: hasPages ? 20 + random.below(20) : undefined,
    hasLarge: byHand.has("large"),
    readAhead: random.chance(0.5) ? 1 : undefined,
    savedFrom: random.chance(0.25) ? 1 + random.below(3) : undefined,
    sweepsRarely: !hasPages && natives === 0 && canSend(faults) && random.chance(0.4),
  };
  return {
    ...{ seed, shape: { ...shape, ...rare }, clients, operations, keys },
    ...{
      fleetingShare,
      pace,
      natives,
      byHand,
      faults,
      versions: planVersions(seed, { natives, pace }),
    },
  };
}
