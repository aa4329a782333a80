/**
 * One simulation: a seed decides the cluster, the clients, what they do and what fails. In the end everything is healed, and
 * what is left is judged.
 * @module
 */

import type { StoreName } from "../../src/nats/layout/names.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { ByHand } from "./by_hand.ts";
import { CREATOR } from "./bucket_facts.ts";
import { checkCleanliness } from "./cleanliness.ts";
import { type ClientWorld, runClient } from "./clients.ts";
import { Cluster } from "./cluster.ts";
import { Contents } from "./contents.ts";
import type { Operations } from "./counted_store.ts";
import { Documents } from "./documents.ts";
import { EarlyPurges } from "./early_purges.ts";
import { HARMLESS } from "./faults.ts";
import { GRACE, RARE_SWEEPS, SWEEP } from "./gateway.ts";
import { KeyStates } from "./key_states.ts";
import { KeyVersions } from "./key_versions.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { Lifecycle } from "./lifecycle.ts";
import { endLifecycle } from "./lifecycle_rules.ts";
import { NativeClient } from "./native_client.ts";
import { type Plan, planOf } from "./plan.ts";
import { failPower, Gate } from "./power.ts";
import { SamePages } from "./same_page.ts";
import { readBack } from "./settle.ts";
import { Tags } from "./tags.ts";
import { AttemptedGroups, checkUnswept } from "./unswept.ts";
import { Trace } from "./trace.ts";
import { heldBucket } from "./truth.ts";
import { Uploads } from "./upload_lists.ts";
import { PlaceJudge } from "./version_answers.ts";
import { documentsOf } from "./versions.ts";
import { Witness } from "./witness.ts";

/** What is left out of a simulation, to find out what its violation needs. */
export type Omissions = {
  /** Operations, as `client.index`. */
  readonly operations: ReadonlySet<string>;
  /** Indexes in the plan of faults. */
  readonly faults: ReadonlySet<number>;
};

/** The outcome of a simulation. */
export type Outcome = {
  readonly plan: Plan;
  readonly steps: number;
  readonly violations: readonly string[];
  readonly trace: Trace;
  /** Operations of clients by name and ending. */
  readonly counts: ReadonlyMap<string, number>;
  /** Operations of stores, and those that were called. */
  readonly operations: Operations;
};

const BUCKET = "bucket" as BucketName;
const FLEETING = "fleeting" as BucketName;
/** Nothing is left out. */
export const NOTHING: Omissions = { operations: new Set(), faults: new Set() };
/** Milliseconds after which all leases have expired, and the trash that they held is empty. */
const UNLEASED = 5 * GRACE;
/** Steps after which a simulation is given up: something goes on forever. */
const MAX_STEPS = 3_000_000;

/** Runs the simulation of a seed. */
export async function simulate(seed: number, omitted: Omissions = NOTHING): Promise<Outcome> {
  const plan = planOf(seed);
  const scheduler = new Scheduler();
  const trace = new Trace(() => scheduler.now);
  const witness = new Witness(scheduler.moment);
  const random = new Random(seed + 1);
  const object = (text: string): void => witness.object(text);
  const uploads = new Uploads();
  const lifecycle = plan.versions?.lifecycle && new Lifecycle(plan.versions.lifecycle, {
    store: BUCKET as string as StoreName,
    now: () => scheduler.now,
    object,
    isQuiet: plan.faults.length === 0,
    uploads,
  });
  const shape = { ...plan.shape, lifecycle };
  const cluster = new Cluster(scheduler, random, trace, shape, (gateway, what) => {
    object(`${gateway.name} does not end: ${what}`);
  });
  witness.fleeting.add(FLEETING);
  witness.readsMayBreak = plan.natives > 0 ||
    plan.faults.some(({ kind }) => !HARMLESS.has(kind));
  witness.mayBeFull = plan.shape.quota !== undefined;
  witness.isQuiet = plan.faults.length === 0 && !plan.byHand.has("payload");
  const gate = new Gate();
  const counts = new Map<string, number>();
  const spoilt = new Set<string>();
  const tags = new Tags(witness);
  const versions = plan.versions && new KeyVersions(BUCKET as string as StoreName, {
    moment: scheduler.moment,
    now: () => scheduler.now,
    object,
    hasNatives: plan.natives > 0,
    spoilt,
    losesTags: (etag) => tags.loses(etag),
    mayBeFull: () => witness.mayBeFull,
    lifecycle,
  });
  if (versions !== undefined) witness.judgePlace = new PlaceJudge(BUCKET, versions);
  const world: ClientWorld = {
    seed,
    scheduler,
    trace,
    contents: new Contents(),
    witness,
    documents: new Documents(witness, () => scheduler.now),
    uploads,
    tags,
    states: new KeyStates(BUCKET as string as StoreName, scheduler.moment),
    versions,
    versionsPlan: plan.versions,
    bucket: BUCKET,
    fleeting: FLEETING,
    fleetingShare: plan.fleetingShare,
    pace: plan.pace,
    spoilt,
    isGone: (bucket) => heldBucket(cluster.jetStream, bucket) === undefined,
    lifeOf: (bucket) => cluster.jetStream.stream(`OBJ_${bucket}`),
    isLimited: plan.shape.quota !== undefined,
    busy: { count: 0 },
    gate: gate.pass,
    keys: plan.keys,
    gateways: () => cluster.running,
    wait: cluster.wait,
    skipped: omitted.operations,
    moved: new Set(),
    log(operation, outcome) {
      const name = `${operation}: ${outcome}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    },
  };
  let isOver = false;
  let failure: unknown;
  scheduler.after(1, cluster.clients, () => {
    runPhases(plan, cluster, world, gate, omitted).catch((cause) => failure = cause)
      .finally(() => isOver = true);
  });
  await scheduler.run(() => isOver || scheduler.steps > MAX_STEPS);
  if (failure !== undefined) witness.object(`The simulation failed: ${describe(failure)}`);
  if (!isOver) witness.object("The simulation does not end");
  witness.checkHistories();
  world.documents.check();
  const { steps } = scheduler;
  const { violations } = witness;
  return { plan, steps, violations, trace, counts, operations: cluster.operations };
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.stack ?? cause.message : String(cause);
}

async function runPhases(
  { seed, clients, natives, operations, byHand, faults, shape }: Plan,
  cluster: Cluster,
  world: ClientWorld,
  gate: Gate,
  omitted: Omissions,
): Promise<void> {
  const { scheduler, trace, bucket } = world;
  const first = cluster.gateways[0];
  const created = await first?.call(
    "CREATE BUCKET",
    (store) => store.createBucket(bucket, CREATOR, { documents: documentsOf(world.versionsPlan) }),
  );
  if (created?.kind !== "done") throw new Error("The bucket was not created", { cause: created });

  const stream = cluster.jetStream.stream(`OBJ_${bucket}`);
  if (stream !== undefined) world.states.follow(stream);
  if (stream !== undefined) world.versions?.follow(stream);
  if (stream !== undefined) world.versions?.lifecycle?.follow(stream);
  const given = documentsOf(world.versionsPlan).get("versioning");
  if (given !== undefined) {
    world.documents.write("versioning", given, "CREATE BUCKET").end("done");
    world.versions?.enabled(0);
  }
  if (shape.mirror !== undefined) cluster.mirror("OBJ_bucket", shape.mirror);

  const hands = new ByHand(cluster, world, byHand, new Random(seed + 2));
  const attempted = new AttemptedGroups();
  if (shape.readAhead !== undefined) {
    const object = (text: string): void => world.witness.object(text);
    const store = bucket as string as StoreName;
    const purges = new EarlyPurges(cluster.jetStream, store, () => scheduler.now, object);
    cluster.arrived = (message) => purges.note(message);
  }
  const pages = new SamePages((text) => world.witness.object(text));
  if (shape.sweepsRarely) cluster.heard = (message) => attempted.note(message);
  else if (shape.page !== undefined) cluster.heard = (message) => pages.note(message);
  let failing = Promise.resolve();
  for (const fault of faults) {
    if (omitted.faults.has(fault.index)) continue;
    if (fault.kind === "power") {
      scheduler.after(fault.at, cluster.clients, () => {
        failing = failing.then(() => failPower(cluster, world, gate, fault));
      });
      continue;
    }
    scheduler.after(fault.at, cluster.clients, () => cluster.strike(fault));
  }
  await Promise.all([
    ...Array.from({ length: clients }, (_, i) => runClient(world, i, operations)),
    ...Array.from({ length: natives }, (_, i) => {
      return new NativeClient(cluster, world, i).run(i, operations);
    }),
    hands.run(),
  ]);
  // Faults end by themselves; what is left of the plan is over, too.
  const last = Math.max(0, ...faults.map(({ at, lasts }) => at + lasts));
  if (last > scheduler.now) await cluster.wait(last - scheduler.now);
  await failing;
  cluster.heal();
  hands.heal();
  await cluster.wait(10_000);
  await endLifecycle(cluster, world);
  await readBack(cluster, world);
  if (shape.sweepsRarely) {
    await cluster.wait(UNLEASED);
    if (scheduler.now < RARE_SWEEPS) checkUnswept(cluster, world, faults, attempted);
    await cluster.sweepOften();
  }
  trace.add("world", "waits for the grace and the sweeps");
  await cluster.wait(GRACE * 3 + SWEEP.uploadExpiry + SWEEP.minAge + 4 * SWEEP.interval);
  await readBack(cluster, world);
  hands.check();
  await checkCleanliness(cluster, world);
}
