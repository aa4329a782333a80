/**
 * Clients of the gateways: each does one random operation after the other, and tells the {@linkcode Witness} what it saw.
 * @module
 */

import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { NatsStore } from "../../src/nats/store.ts";
import { type Operation, OPERATIONS } from "./operations.ts";
import type { Contents } from "./contents.ts";
import type { Documents } from "./documents.ts";
import type { Ended, Gateway } from "./gateway.ts";
import type { KeyStates } from "./key_states.ts";
import type { KeyVersions } from "./key_versions.ts";
import type { VersionsPlan } from "./plan.ts";
import { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Tags } from "./tags.ts";
import type { Trace } from "./trace.ts";
import type { Uploads } from "./upload_lists.ts";
import type { Witness } from "./witness.ts";

/** What clients share. */
export type ClientWorld = {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly contents: Contents;
  readonly witness: Witness;
  /** The documents of the bucket that stays. */
  readonly documents: Documents;
  /** The uploads of that bucket. */
  readonly uploads: Uploads;
  /** Judges the tags of objects. */
  readonly tags: Tags;
  /** The states of the bucket that stays. */
  readonly states: KeyStates;
  /** The versions of that bucket; undefined if it keeps none. */
  readonly versions: KeyVersions | undefined;
  readonly versionsPlan: VersionsPlan | undefined;
  readonly bucket: BucketName;
  /** A bucket that clients create and delete. */
  readonly fleeting: BucketName;
  /** The share of operations that go there. */
  readonly fleetingShare: number;
  readonly keys: readonly ObjectKey[];
  /** Returns the gateways that a client may choose from. */
  readonly gateways: () => readonly Gateway[];
  /**
   * ETags of objects whose bytes native clients have purged, because they believe to have replaced them. An object that was
   * renamed meanwhile has no bytes any more.
   */
  readonly spoilt: Set<string>;
  /** Tells whether the server has no such bucket now. */
  readonly isGone: (bucket: BucketName) => boolean;
  /** Returns what a bucket keeps from its creation to its deletion; undefined if it is gone. */
  readonly lifeOf: (bucket: BucketName) => unknown;
  /** Buckets have a quota, which natives exceed. */
  readonly isLimited: boolean;
  /** Longest pause between two operations of a client, in milliseconds. */
  readonly pace: number;
  readonly wait: (milliseconds: number) => Promise<void>;
  /** Counts the operations under way. */
  readonly busy: { count: number };
  /** Lets operations begin; waits while none may. */
  readonly gate: () => Promise<void>;
  /** Operations that are left out, as `client.index`. */
  readonly skipped: ReadonlySet<string>;
  /** Renames and copies that were tried: a value comes to a key once. */
  readonly moved: Set<string>;
  readonly log: (operation: string, outcome: string) => void;
};

/** One operation's surroundings. */
export type Acting = ClientWorld & {
  readonly name: string;
  readonly random: Random;
  /** The gateway that the client chose. */
  readonly gateway: Gateway;
  /** Milliseconds between two pieces that a reader takes; undefined if chance decides. */
  readonly slowness?: number;
  readonly call: <T>(what: string, work: (store: NatsStore) => Promise<T>) => Promise<Ended<T>>;
};

/** Shortest pause between two operations of a client, in milliseconds. */
const LEAST_PAUSE = 0.1;

/** Runs a client until it has done its operations. */
export async function runClient(
  world: ClientWorld,
  number: number,
  operations: number,
): Promise<void> {
  const name = `client${number}`;
  for (let index = 0; index < operations; index++) {
    // Each operation decides by itself, so that leaving one out changes no other.
    const random = new Random(world.seed * 7919 + number * 104_729 + index * 15_485_863);
    await world.wait(random.between(LEAST_PAUSE, world.pace));
    await world.gate();
    const operation = choose(random, world);
    const gateways = world.gateways();
    if (gateways.length === 0 || world.skipped.has(`${number}.${index}`)) continue;
    const gateway = random.pick(gateways);
    const bucket = random.chance(world.fleetingShare) ? world.fleeting : world.bucket;
    const call: Acting["call"] = async (what, work) => {
      world.trace.add(name, `${number}.${index} asks ${gateway.name}: ${what} in ${bucket}`);
      const ended = await gateway.call(`${name} ${what}`, work);
      const outcome = ended.kind === "failed" ? String(ended.cause) : ended.kind;
      world.trace.add(name, `${number}.${index} ${what}: ${outcome}`);
      return ended;
    };
    world.busy.count++;
    const outcome = await operation.run({ ...world, bucket, name, random, gateway, call });
    world.busy.count--;
    world.log(operation.name, outcome);
  }
}

function choose(random: Random, { fleetingShare, versionsPlan }: ClientWorld): Operation {
  const operations = OPERATIONS.filter(({ isOfFleeting = false, needs }) =>
    (!isOfFleeting || fleetingShare > 0) && (needs === undefined || needs(versionsPlan))
  );
  let left = random.next() * operations.reduce((sum, { weight }) => sum + weight, 0);
  const found = operations.find(({ weight }) => (left -= weight) < 0);
  return found ?? operations[0] as Operation;
}
