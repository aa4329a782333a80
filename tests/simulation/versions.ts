/**
 * Operations that name a version: they read it, remove it, change its tags and its lock. And the one that switches versioning.
 * @module
 */

import { isS3Error } from "../../src/s3/errors.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import { NULL_VERSION, type VersionId } from "../../src/s3/version_id.ts";
import type { DocumentKind } from "../../src/store/documents.ts";
import type { LockChange, LockInput } from "../../src/store/objects.ts";
import type { Begun, Value } from "../cluster/history.ts";
import type { Acting } from "./clients.ts";
import type { Held, HeldVersions } from "./held_versions.ts";
import type { KeyVersions } from "./key_versions.ts";
import type { VersionsPlan } from "./plan.ts";
import type { Random } from "./random.ts";
import { readKey } from "./reads.ts";
import { endChange, newTags, tagOf } from "./tags.ts";

/** Milliseconds of a lock that outlives a simulation. */
const LONG = 10 * 24 * 3600 * 1000;

/** Returns the documents that the bucket has from the beginning. */
export function documentsOf(plan: VersionsPlan | undefined): ReadonlyMap<DocumentKind, string> {
  if (plan?.fromBeginning !== true) return new Map();
  const lock = plan.hasLocks ? [["objectLock", "{}"] as const] : [];
  return new Map([["versioning", "Enabled"] as const, ...lock]);
}

/** A version that a client knows. */
type Chosen = {
  readonly versions: KeyVersions;
  readonly key: ObjectKey;
  readonly id: VersionId;
  readonly value: Value;
};

function choose({ versions, bucket, fleeting, keys, random }: Acting): Chosen | undefined {
  if (versions === undefined || bucket === fleeting) return undefined;
  const key = random.pick(keys);
  const known = [...versions.known.get(key) ?? []];
  if (known.length === 0) return undefined;
  // Mostly the latest ones: removing the current version is what is hard.
  const recent = random.chance(0.6) ? known.slice(-2) : known;
  const [id, value] = random.pick(recent);
  return { versions, key, id, value };
}

/** Reads a version that the client knows. */
export async function readVersion(acting: Acting): Promise<string> {
  const chosen = choose(acting);
  if (chosen === undefined) return "unknown";
  return await readKey(acting, chosen.key, undefined, chosen.id);
}

/** Judges an error about a version by what the server held. Returns a word for it; undefined if it says nothing of that kind. */
export function judgeVersionError(
  { versions, witness }: Acting,
  { key, id }: Pick<Chosen, "key" | "id">,
  from: number,
  cause: unknown,
  what: string,
): string | undefined {
  const had = (fits: (held: Held | undefined) => boolean): boolean =>
    versions?.was(key, from, (state) => fits(state.versions.find((one) => one.id === id))) ?? true;
  // A gateway that does not keep versions yet takes a marker of one that does for no object.
  const isEarly = versions?.isPreparedSince(from) === false;
  let isRight: boolean;
  if (isS3Error(cause, "NoSuchVersion")) {
    isRight = had((held) => held === undefined || (isEarly && held.value === null));
  } else if (isS3Error(cause, "MethodNotAllowed")) isRight = had((held) => held?.value === null);
  else if (isS3Error(cause, "AccessDenied")) {
    isRight = had((held) => held !== undefined && (held.isHeld || held.until > 0));
  } else if (isS3Error(cause, "QuotaExceeded") && what.startsWith("DELETE") && witness.mayBeFull) {
    // In a full bucket, noncurrent versions make room.
    isRight = versions?.was(key, from, ({ versions: [first] }) => first?.id === id) ?? true;
  } else if (isS3Error(cause, "ServiceUnavailable") && what.startsWith("DELETE")) {
    return witness.mayBeFull ? "not sealed" : undefined;
  } else return undefined;
  if (!isRight) {
    const held = versions?.describe(key, from, witness.now());
    witness.object(`${what} was answered with ${(cause as Error).message}: ${key} held ${held}`);
  }
  return "refused";
}

/** Removes a version that the client knows. */
export async function removeVersion(acting: Acting): Promise<string> {
  const chosen = choose(acting);
  if (chosen === undefined) return "unknown";
  const { bucket, random, call, witness } = acting;
  const { versions, key, id, value } = chosen;
  const bypass = random.chance(0.3);
  const what = `DELETE VERSION ${key} ${id}${bypass ? " with bypass" : ""}`;
  const from = witness.now();
  const name = `${key} ${id}`;
  versions.removing.set(name, bypass || versions.removing.get(name) === true);
  const ended = await call(
    what,
    (store) => store.deleteObject(bucket, key, { precondition: {}, versionId: id, bypass }),
  );
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "failed") {
    return judgeVersionError(acting, chosen, from, ended.cause, what) ??
      witness.judge(ended.cause, what, bucket);
  }
  if (!versions.isPreparedSince(from)) return "early";
  const wasGone = versions.was(key, from, (state) => state.versions.every((one) => one.id !== id));
  // Native clients write version null anew, and its record goes after the object info that hides it.
  const isGone = wasGone || (id === NULL_VERSION && versions.hasNatives &&
    versions.was(key, from, (state, before) => nullOf(state) !== nullOf(before ?? state)));
  if (!isGone) witness.object(`${what} was answered as done, and the version is there`);
  const { versionId, isMarker } = ended.value;
  const isRight = versionId === id && (!isMarker || value === null || id === NULL_VERSION);
  if (!isRight) witness.object(`${what} was answered with ${versionId}, marker ${isMarker}`);
  return "done";
}

function nullOf({ versions }: HeldVersions): Value | undefined {
  return versions.find(({ id }) => id === NULL_VERSION)?.value;
}

/** Changes the tags of a version that the client knows. */
export async function tagVersion(acting: Acting): Promise<string> {
  const chosen = choose(acting);
  if (chosen === undefined) return "unknown";
  const { bucket, witness, tags, random, call } = acting;
  const { key, id } = chosen;
  const from = witness.now();
  const wanted = newTags(random, 0.75);
  const what = `TAG VERSION ${key} ${id} ${tagOf({ tags: wanted }) ?? "with nothing"}`;
  const begun = new Map<string, Begun>();
  const ended = await call(what, (store) =>
    store.putObjectTags(bucket, key, wanted, {
      versionId: id,
      check({ etag }) {
        if (!begun.has(etag)) begun.set(etag, tags.change(etag, wanted, what));
      },
    }));
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "failed") {
    return judgeVersionError(acting, chosen, from, ended.cause, what) ??
      witness.judge(ended.cause, what, bucket);
  }
  // Of null, another object may have been tagged in the end.
  endChange(begun);
  return "done";
}

/** Changes the lock of a version that the client knows. */
export async function lockVersion(acting: Acting): Promise<string> {
  const chosen = choose(acting);
  if (chosen === undefined || acting.versions?.isEnabledNow !== true) return "unknown";
  const { bucket, witness, random, call } = acting;
  const { versions, key, id } = chosen;
  const from = witness.now();
  const change = newLockChange(random, versions.time);
  const weakens = change.kind === "hold" ? !change.legalHold : change.bypass;
  if (weakens) versions.weakening.add(`${key} ${id}`);
  const what = `LOCK ${key} ${id} ${JSON.stringify(change)}`;
  const ended = await call(what, (store) => {
    return store.changeLock(bucket, key, change, { versionId: id });
  });
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "failed") {
    if (change.kind === "retention" && isS3Error(ended.cause, "InvalidArgument")) {
      const until = change.retention?.until.getTime() ?? 0;
      if (until < versions.time + 3000) return "past";
    }
    return judgeVersionError(acting, chosen, from, ended.cause, what) ??
      witness.judge(ended.cause, what, bucket);
  }
  const isRight = versions.was(key, from, (state) => {
    const held = state.versions.find((one) => one.id === id);
    if (held === undefined) return false;
    return change.kind === "hold"
      ? held.isHeld === change.legalHold
      : held.until === (change.retention?.until.getTime() ?? 0);
  });
  if (!isRight) witness.object(`${what} was answered as done, and the lock was never so`);
  return "done";
}

function newLockChange(random: Random, now: number): LockChange {
  if (random.chance(0.4)) return { kind: "hold", legalHold: random.chance(0.5) };
  const bypass = random.chance(0.3);
  const retention = bypass && random.chance(0.5) ? undefined : {
    mode: random.chance(0.4) ? "COMPLIANCE" as const : "GOVERNANCE" as const,
    until: new Date(Math.floor(now + lockTime(random))),
  };
  return { kind: "retention", retention, bypass };
}

function lockTime(random: Random): number {
  return random.chance(0.5) ? random.between(4000, 60_000) : LONG;
}

/** Returns a lock for a new object now and then. */
export function newLock(
  { random, versions, versionsPlan, bucket, fleeting }: Acting,
): LockInput | undefined {
  if (versionsPlan?.hasLocks !== true || bucket === fleeting) return undefined;
  if (versions?.isEnabledNow !== true || !random.chance(0.25)) return undefined;
  if (random.chance(0.3)) return { legalHold: true };
  const mode = random.chance(0.4) ? "COMPLIANCE" : "GOVERNANCE";
  // No request takes so long that a short one would be over before its commit.
  return random.chance(0.5)
    ? { retention: { mode, days: 1 } }
    : { retention: { mode, until: new Date(Math.floor(versions.time + LONG)) } };
}

/** Switches versioning on, or suspends it. */
export async function switchVersioning(acting: Acting): Promise<string> {
  const { versions, versionsPlan, documents, random, bucket, call, witness } = acting;
  if (versions === undefined || bucket === acting.fleeting) return "not here";
  const isSuspending = versionsPlan?.isSuspended === true && random.chance(0.5);
  const status = isSuspending ? "Suspended" : "Enabled";
  const what = `PUT VERSIONING ${status}`;
  versions.switches(isSuspending);
  const prepared = await call("PREPARE VERSIONING", (store) => store.prepareVersioning(bucket));
  if (prepared.kind === "lost") return "lost";
  if (prepared.kind === "failed") return witness.judge(prepared.cause, what, bucket);
  versions.prepared();
  const begun = documents.write("versioning", status, what);
  const began = versions.switches(isSuspending);
  const ended = await call(
    what,
    (store) => store.putDocument(bucket, "versioning", status, { everywhere: true }),
  );
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "failed") return witness.judge(ended.cause, what, bucket);
  begun.end("done");
  if (!isSuspending) versions.enabled(began);
  return "done";
}
