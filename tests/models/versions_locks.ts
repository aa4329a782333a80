/**
 * What object lock promises in the versions model: a version under a legal hold or a COMPLIANCE retention stays.
 * @module
 */

import { type Content, isLocked, isRecord, versionOf, type World } from "./versions_world.ts";

/** Returns the locked versions, and the locked null version that a held-up put may have hidden behind its own. */
export function lockedVersions(world: World): readonly Content[] {
  const locked = world.versions().filter(isLocked);
  const { content: hidden } = world.last("R:null");
  const { content: info } = world.last("M");
  const isHidden = isRecord(hidden) && versionOf(info) === "null" && hidden.group !== info?.group;
  return isHidden && isLocked(hidden) ? [...locked, hidden] : locked;
}

/**
 * Returns a version that was locked before the last step and now has no record or no bytes. A version that was hidden may
 * have another id.
 */
export function findLost(world: World, locked: readonly Content[]): string | undefined {
  return locked.find(({ version, group }) => {
    if (group !== "" && !world.groups.has(group)) return true;
    return !world.subjects.values().some(({ content }) =>
      isRecord(content) && (group === "" ? content.version === version : content.group === group)
    );
  })?.version;
}
