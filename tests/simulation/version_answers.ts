/**
 * Judges what clients heard about a bucket with versions: the server held it at some moment of the request.
 * @module
 */

import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { NULL_VERSION, type VersionId } from "../../src/s3/version_id.ts";
import type { Demand, Event, Value } from "../cluster/history.ts";
import type { Acting } from "./clients.ts";
import type { HeldVersions } from "./held_versions.ts";
import type { KeyVersions } from "./key_versions.ts";
import { placeOf } from "./witness.ts";

/** Returns what a read of the key shows. */
export function currentValue({ versions: [first], hasCurrent }: HeldVersions): Value {
  return hasCurrent ? first?.value ?? null : null;
}

/** Judges the places of a bucket by what the server held. */
export class PlaceJudge {
  readonly #prefix: string;
  readonly #versions: KeyVersions;

  constructor(bucket: BucketName, versions: KeyVersions) {
    this.#prefix = placeOf(bucket, "");
    this.#versions = versions;
  }

  /** Tells whether a place is one of the bucket. */
  judges(place: string): boolean {
    return place.startsWith(this.#prefix);
  }

  /** Explains what is wrong with the events of a place; undefined if nothing is. */
  explain(place: string, events: readonly Event[]): string | undefined {
    const key = place.slice(this.#prefix.length) as ObjectKey;
    for (const event of events) {
      const { from, to, demand, sets, optional, what } = event;
      if (optional) continue;
      const isPossible = this.#versions.was(key, from, (state, before) => {
        const value = currentValue(state);
        if (sets === undefined) return meets(value, demand);
        if (value !== sets) return false;
        return demand === undefined || before === undefined || meets(currentValue(before), demand);
      }, to);
      if (isPossible) continue;
      const held = this.#versions.describe(key, from, to);
      return `At no moment of ${from}–${to} there was what ${what} tells: ${place} held ${held}`;
    }
    return undefined;
  }
}

function meets(value: Value, demand: Demand | undefined): boolean {
  if (demand === undefined) return true;
  return "is" in demand ? value === demand.is : value !== demand.isNot;
}

/** Judges the version that the answer to a write names, and remembers it. */
export function heardVersion(
  { bucket, fleeting, versions, witness }: Acting,
  key: ObjectKey,
  from: number,
  { id, value, what }: {
    readonly id: VersionId | undefined;
    readonly value: Value;
    readonly what: string;
  },
): void {
  if (versions === undefined || bucket === fleeting) return;
  const was = versions.was(key, from, ({ versions: held, hasCurrent }) => {
    if (id === undefined) return true;
    const [first] = held;
    return hasCurrent && first?.id === id && first.value === value;
  });
  if (versions.isEnabledSince(from) && (id === undefined || id === NULL_VERSION)) {
    witness.object(`${what} made the version ${id}, and versioning is enabled`);
  }
  if (!was) {
    const held = versions.describe(key, from, witness.now());
    witness.object(`${what} was answered with the version ${id}, which ${key} never had: ${held}`);
  }
  if (id !== undefined) versions.knows(key, id, value);
}

/** Judges the version that a read shows: the one that it named, or the current one. */
export function sawVersion(
  { bucket, fleeting, versions, witness }: Acting,
  key: ObjectKey,
  from: number,
  { named, shown, etag, what }: {
    readonly named: VersionId | undefined;
    readonly shown: VersionId | undefined;
    readonly etag: string;
    readonly what: string;
  },
): void {
  if (versions === undefined || bucket === fleeting) return;
  const isRight = versions.was(key, from, (state) => {
    const held = named === undefined
      ? state.hasCurrent ? state.versions[0] : undefined
      : state.versions.find(({ id }) => id === named);
    return held?.value === etag && (shown ?? NULL_VERSION) === held.id;
  });
  if (!isRight) {
    const held = versions.describe(key, from, witness.now());
    witness.object(`${what} shows ${etag} as version ${shown}: ${key} held ${held}`);
  }
  if (shown !== undefined) versions.knows(key, shown, etag);
}
