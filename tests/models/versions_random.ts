/**
 * Random scenarios of the versions model.
 * @module
 */

import type { Random } from "../simulation/random.ts";
import type { Operation } from "./versions_operations.ts";
import { KEYS, put, type Scenario, version } from "./versions_scenarios.ts";
import type { Content, Mode } from "./versions_world.ts";

/** What a random scenario is about, besides puts, deletes, tags and reads. */
export type Theme = "plain" | "native" | "lease" | "lock" | "full";

/** Returns a scenario of two or three clients. */
export function randomScenario(random: Random, theme: Theme): Scenario {
  const isSmall = random.chance(0.5);
  if (theme === "lease") return { ...randomLease(random), isSmall };
  let versions: readonly Content[] = random.pick(Object.values(KEYS));
  if (theme === "lock") {
    versions = versions.map((it) => {
      if (random.chance(0.6)) return it;
      return random.chance(0.5) ? { ...it, hold: true } : { ...it, retention: 5 };
    });
  }
  const ids = versions.map(({ version }) => version);
  if (ids.length === 0) ids.push("null");
  let count = 0;
  const operation = (): Operation => {
    const name = `p${++count}`;
    const id = random.pick(ids);
    if (theme === "native" && random.chance(0.2)) {
      return { kind: "native", does: random.pick(["put", "delete", "update"] as const), name };
    }
    if (theme === "lock" && random.chance(0.4)) {
      if (random.chance(0.6)) return { kind: "hold", version: id, hold: random.chance(0.6) };
      return { kind: "retain", version: id, retention: random.pick([3, 7]) };
    }
    const suspended: Mode = theme === "lock" ? "E" : "S"; // a bucket with locks is never suspended
    switch (random.below(11)) {
      case 0:
      case 1:
        return put(name, "E");
      case 2:
        return put(name, suspended);
      case 3:
        return put(name, random.pick(["E", suspended]), { isMarker: true });
      case 4: {
        const condition = random.pick(["", versions[0]?.group ?? ""]);
        return put(name, random.pick(["E", suspended]), {
          condition,
          isMarker: condition !== "" && random.chance(0.3),
        });
      }
      case 5:
      case 6:
        return { kind: "delete", version: id };
      case 7:
        return { kind: "tag", version: id, tags: count };
      case 8:
        return { kind: "get", version: random.chance(0.7) ? id : undefined };
      case 9:
        return { kind: "list" };
      default:
        return { kind: random.pick(["emptyTrash", "sweep"] as const) };
    }
  };
  const programs = Array.from(
    { length: random.pick([2, 3]) },
    () => Array.from({ length: random.pick([1, 1, 2]) }, operation),
  );
  const room = theme === "full" ? random.below(5) : Infinity;
  return { versions, programs, isSmall, room };
}

/** Returns a scenario in which the mode changes while writes that looked at it before are under way. */
function randomLease(random: Random): Omit<Scenario, "isSmall"> {
  const mode = random.pick(["U", "S"] as const);
  const unversioned = [[version("null", { ordinal: 0 })], []];
  const versions = random.pick<readonly Content[]>(
    mode === "U" ? unversioned : [...unversioned, ...Object.values(KEYS)],
  );
  let count = 0;
  const operation = (): Operation => {
    const name = `p${++count}`;
    const id = random.pick(["null", ...versions.map(({ version }) => version)]);
    switch (random.below(6)) {
      case 0:
        return { kind: "get", version: random.chance(0.7) ? id : undefined };
      case 1:
        return { kind: "list" };
      case 2:
        return { kind: "delete", version: id };
      case 3:
        return put(name, undefined, { isMarker: true });
      default:
        return put(name, undefined);
    }
  };
  const modes: Operation[] = [{ kind: "setMode", mode: "E" }];
  const next = random.below(4);
  // Three changes of the mode during one held-up write are more than the protocol survives unharmed.
  if (next === 0 && mode === "S") modes.push({ kind: "setMode", mode: "S" });
  if (next === 1) modes.push({ kind: "hold", version: "null", hold: true });
  if (next === 2) modes.push(operation());
  const programs = [
    modes,
    [operation()],
    Array.from({ length: random.pick([1, 2]) }, operation),
  ];
  return { versions, programs, mode };
}
