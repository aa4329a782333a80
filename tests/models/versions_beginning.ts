/**
 * The world of the versions model at the beginning of a scenario.
 * @module
 */

import type { Scenario } from "./versions_scenarios.ts";
import { type Content, World } from "./versions_world.ts";

/** Returns a world with the messages and the bytes of a scenario. */
export function beginWorld(
  { versions, trash, hidden, mode = "E", room = Infinity }: Scenario,
): World {
  const world = new World();
  const add = (subject: string, content: Content): void => {
    world.publish([{ kind: "publish", subject, content, expect: undefined }]);
    if (content.kind === "object") world.groups.add(content.group);
  };
  for (const version of versions.toReversed()) {
    add(version === versions[0] ? "M" : `R:${version.version}`, version);
  }
  for (const record of trash ?? []) add(`T:${record.group}`, record);
  if (hidden !== undefined) add("R:null", hidden);
  world.mode = mode;
  world.room = room;
  return world;
}
