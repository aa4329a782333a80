/**
 * What random requests name and carry: buckets and keys, bytes, conditions and locks.
 * @module
 */

import { createHash } from "node:crypto";
import type { Random } from "../simulation/random.ts";

/** The keys in each bucket. */
export const NAMES = ["a", "a/1", "a/2", "b", "c/1/x", "d"];
/** The bucket with object lock, in which versioning cannot be suspended. */
export const LOCKED = "locked";
/** The bucket in which versioning is enabled and suspended. */
export const PLAIN = "plain";

const SIZES = [0, 1, ...Array<number>(12).fill(10), 130_000, 300_000];
const DAY = 24 * 60 * 60 * 1000;
const TODAY = Math.floor(Date.now() / DAY) * DAY;
const LOCK = "x-amz-object-lock-";

/** Returns the bytes of an object. */
export function newBytes(random: Random): Uint8Array {
  const size = random.pick(SIZES);
  return new Uint8Array(size).fill(1 + random.below(3));
}

/** Returns a condition of a write now and then. */
export function newCondition(random: Random, isDelete = false): Record<string, string> {
  if (random.chance(0.75)) return {};
  const etag = `"${md5Of(newBytes(random))}"`;
  if (isDelete) return { "if-match": random.pick(["*", etag]) };
  return random.pick([{ "if-none-match": "*" }, { "if-match": etag }]);
}

/** Returns a lock of a new object now and then: in a bucket without object lock it is refused. */
export function newLock(random: Random, bucket: string): Record<string, string> {
  if (bucket !== LOCKED ? random.chance(0.98) : random.chance(0.5)) return {};
  if (random.chance(0.3)) return { [`${LOCK}legal-hold`]: "ON" };
  const until = inDays(random.pick([-10, 10, 20]));
  return { [`${LOCK}mode`]: newMode(random), [`${LOCK}retain-until-date`]: until };
}

/** Asks to bypass the governance mode now and then. */
export function newBypass(random: Random, bucket: string): Record<string, string> {
  // Without object lock it is refused.
  const probability = bucket === LOCKED ? 0.5 : 0.05;
  return random.chance(probability) ? { "x-amz-bypass-governance-retention": "true" } : {};
}

/** Returns a mode, mostly GOVERNANCE: a version under COMPLIANCE stays until the end of the run. */
export function newMode(random: Random): string {
  return random.chance(0.05) ? "COMPLIANCE" : "GOVERNANCE";
}

/** Returns the MD5 of bytes, in hex. */
export function md5Of(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** Returns the beginning of a day so many days from now. */
export function inDays(days: number): string {
  return new Date(TODAY + days * DAY).toISOString();
}
