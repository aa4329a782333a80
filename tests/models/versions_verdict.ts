/**
 * Checks the end of a run of the versions model.
 * @module
 */

import { isLinearizable } from "./versions_history.ts";
import type { System } from "./versions_system.ts";
import { type Content, isLocked } from "./versions_world.ts";

/** Returns what is wrong after a run, once the trash is empty and the bucket is swept; undefined if nothing is. */
export function judge(system: System): string | undefined {
  const { world, calls } = system;
  if (system.violation !== undefined) return system.violation;
  const final = world.versions();
  const hasNative = calls.some(({ operation: { kind } }) => kind === "native");
  const violation = hasNative ? findMissing(system, final) : findDisorder(system, final);
  if (violation !== undefined) return violation;
  system.run({ kind: "emptyTrash" });
  system.run({ kind: "sweep" }); // it may find records that hide groups
  system.run({ kind: "sweep" });
  return system.violation ?? findWrongGroups(system, hasNative);
}

/** Checks a history without native clients. */
function findDisorder({ scenario, calls }: System, final: readonly Content[]): string | undefined {
  const { versions, mode = "E" } = scenario;
  const kinds = new Set(calls.map(({ operation: { kind } }) => kind));
  // A locked null version that a held-up put hid may return under another id: only its lock is checked.
  if (scenario.hidden !== undefined || kinds.has("amend") && kinds.has("hold")) return undefined;
  if (!isLinearizable({ versions, mode }, calls, final)) return "not linearizable";
  // A version that a held-up put could only keep under another id may be out of order.
  if (kinds.has("amend")) return undefined;
  const ordinals = final.map(({ ordinal }) => ordinal).filter((ordinal) => ordinal > 0);
  const isDescending = ordinals.every((ordinal, i) => ordinal < (ordinals[i - 1] ?? Infinity));
  return isDescending ? undefined : `ordinals ${ordinals}`;
}

/** Checks that native clients destroyed no version that was never current while one of them ran. */
function findMissing(
  { scenario, calls, touched }: System,
  final: readonly Content[],
): string | undefined {
  const gone = new Set(touched);
  for (const { operation } of calls) if (operation.kind === "delete") gone.add(operation.version);
  const expected = new Set<string>();
  for (const { kind, version } of scenario.versions) if (kind !== "deleted") expected.add(version);
  for (const { result } of calls) if (result?.status === "stored") expected.add(result.version);
  const left = new Set(final.map(({ version }) => version));
  const missing = expected.values().find((version) => !gone.has(version) && !left.has(version));
  return missing === undefined ? undefined : `version ${missing} is gone`;
}

/** Checks that each version has its bytes, and that no other bytes are left. */
function findWrongGroups({ world, touched }: System, hasNative: boolean): string | undefined {
  const named = new Set<string>();
  for (const { version, group } of world.versions()) {
    named.add(group);
    const isExcused = hasNative && touched.has(version);
    if (group !== "" && !world.groups.has(group) && !isExcused) {
      return `version ${version} has lost its bytes`;
    }
  }
  // A locked record stays, even if a held-up put has hidden it.
  for (const { content } of world.subjects.values()) {
    if (content !== undefined && isLocked(content)) named.add(content.group);
  }
  const left = world.groups.values().find((group) => !named.has(group));
  return left === undefined ? undefined : `group ${left} is never purged`;
}
