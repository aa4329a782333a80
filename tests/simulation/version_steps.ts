/**
 * What may become of the versions of a key from one message to the next.
 * @module
 */

import type { ObjectKey } from "../../src/s3/names.ts";
import { NULL_VERSION } from "../../src/s3/version_id.ts";
import type { Held, HeldVersions } from "./held_versions.ts";
import type { Lifecycle } from "./lifecycle.ts";

/** What clients have asked for, and natives may have done. */
export type Wishes = {
  /** Versions that were removed, as `key id`. */
  readonly gone: Set<string>;
  /** Versions that clients have asked to remove; the value tells whether with the bypass. */
  readonly removing: ReadonlyMap<string, boolean>;
  /** Versions whose locks clients have asked to weaken. */
  readonly weakening: ReadonlySet<string>;
  /** Native clients destroy current versions. */
  readonly hasNatives: boolean;
  /** Hears that an object may have lost the last change of its tags. */
  readonly losesTags: (etag: string) => void;
  /** Tells whether the bucket may be full, so that a removal takes several steps. */
  readonly mayBeFull: () => boolean;
  /** Lifecycle rules, which remove versions as well; undefined if there are none. */
  readonly lifecycle: Lifecycle | undefined;
  /** Returns the states that a key had at some time since another one, in milliseconds since 1970. */
  readonly statesSince: (key: ObjectKey, since: number) => readonly HeldVersions[];
  /** The server's time of day, in milliseconds since 1970. */
  readonly time: number;
};

/** Milliseconds by which a gateway may be wrong about the server's time, which it asks for. */
const INACCURACY = 3000;

/** Explains what is wrong with a step. */
export function* explainStep(
  key: ObjectKey,
  before: HeldVersions,
  after: HeldVersions,
  wishes: Wishes,
): Generator<string> {
  const { gone, removing, hasNatives } = wishes;
  const left = new Map(after.versions.map((version) => [version.id, version]));
  const had = new Set(before.versions.map(({ id }) => id));
  for (const [i, version] of before.versions.entries()) {
    const { id, value } = version;
    const name = `${key} ${id}`;
    const now = left.get(id);
    // What a write replaces or hides is null for as long as versioning is not enabled everywhere.
    if (id === NULL_VERSION && now?.value !== value) continue;
    if (now === undefined) {
      const isDestroyed = hasNatives && i === 0 && before.hasCurrent;
      if (isDestroyed) {
        // An archive on its way, from before its tags changed, may bring it back.
        wishes.losesTags(value ?? "");
        continue;
      }
      gone.add(name);
      if (!removing.has(name)) yield* explainRemoval(key, version, before, wishes);
      if (isLocked(version, wishes, removing.get(name) === true)) {
        yield `Version ${name} (${value}) is gone while it was locked`;
      }
    } else if (now.value !== value) yield `Version ${name} was ${value} and is ${now.value}`;
    else {
      // A native client destroyed the current version. What is left was archived before its tags or its lock changed.
      const isCurrent = after.hasCurrent && after.versions[0] === now;
      const isOlder = hasNatives && i === 0 && before.hasCurrent && !isCurrent;
      if (isOlder && now.tags !== version.tags) wishes.losesTags(value ?? "");
      if (!isOlder) yield* explainLock(name, version, now, wishes);
    }
  }
  yield* explainMarker(key, before, after, wishes);
  for (const { id } of after.versions) {
    if (!had.has(id) && gone.has(`${key} ${id}`)) yield `Version ${key} ${id} comes back`;
  }
  const values = after.versions.flatMap(({ value }) => value ?? []);
  if (new Set(values).size < values.length) yield `Two versions of ${key} are one: ${values}`;
  if (!hasNatives) yield* explainOrder(key, after, wishes);
}

/** Explains what is wrong with the removal of a version that no client asked for. */
function* explainRemoval(
  key: ObjectKey,
  version: Held,
  before: HeldVersions,
  wishes: Wishes,
): Generator<string> {
  const { lifecycle } = wishes;
  if (lifecycle === undefined) {
    yield `Version ${key} ${version.id} (${version.value}) is gone, and nobody removed it`;
    return;
  }
  const text = lifecycle.explain(key, version, before, (since) => wishes.statesSince(key, since));
  if (text !== undefined) yield text;
}

/** Explains what is wrong with a delete marker that takes the place of an object. */
function* explainMarker(
  key: ObjectKey,
  before: HeldVersions,
  after: HeldVersions,
  { lifecycle }: Wishes,
): Generator<string> {
  const [was, now] = [before.versions[0], after.versions[0]];
  if (was === undefined || !before.hasCurrent || was.value === null) return;
  if (now === undefined || now.value !== null || now.id === NULL_VERSION) return;
  if (before.versions.some(({ id }) => id === now.id)) return;
  const text = lifecycle?.explainMarker(key, was);
  if (text !== undefined) yield text;
}

function* explainOrder(
  key: ObjectKey,
  { versions, hasCurrent }: HeldVersions,
  { removing, mayBeFull }: Wishes,
): Generator<string> {
  // In a full bucket, an only version that somebody archived meanwhile is noncurrent until its removal ends.
  const isLeaving = mayBeFull() && removing.has(`${key} ${versions[0]?.id}`);
  if (!hasCurrent && versions.length > 0 && !isLeaving) {
    yield `${key} has no current version although it has ${versions[0]?.id}`;
  }
  for (const [i, version] of versions.entries()) {
    const older = versions[i + 1];
    if (older === undefined) break;
    const isStated = version.ordinal > 0 || version.id !== NULL_VERSION;
    if (isStated && older.ordinal >= version.ordinal) {
      yield `Version ${key} ${older.id} has ordinal ${older.ordinal}, and the newer one ${version.id} has ${version.ordinal}`;
    }
    if (older.modified > version.modified) {
      yield `Version ${key} ${older.id} was modified after ${version.id}: ${older.modified}, ${version.modified}`;
    }
  }
}

function* explainLock(
  name: string,
  before: Held,
  after: Held,
  { time, weakening }: Wishes,
): Generator<string> {
  const isWanted = weakening.has(name);
  if (before.isHeld && !after.isHeld && !isWanted) yield `Version ${name} has lost its legal hold`;
  if (before.until <= time + INACCURACY) return;
  const isKept = after.mode === before.mode && after.until >= before.until;
  if (isKept || (before.mode === "GOVERNANCE" && isWanted)) return;
  yield `The retention of version ${name} was ${before.mode} and is weaker now`;
}

function isLocked({ mode, until, isHeld }: Held, { time }: Wishes, bypass: boolean): boolean {
  if (isHeld) return true;
  return until > time + INACCURACY && !(bypass && mode === "GOVERNANCE");
}
