/**
 * Scenarios of the versions model: keys, operations on them, and random programs.
 * @module
 */

import type { Random } from "../simulation/random.ts";
import type { Operation } from "./versions_operations.ts";
import type { Put } from "./versions_put.ts";
import { type Content, contentOf, type Mode } from "./versions_world.ts";

/** A key at the beginning, and what each client does. */
export type Scenario = {
  /** Versions, the newest first. One of kind "deleted" is object info without a version. */
  readonly versions: readonly Content[];
  readonly programs: readonly (readonly Operation[])[];
  readonly mode?: Mode;
  /** Units of room in the stream; unlimited by default. */
  readonly room?: number;
  /** Whether groups are small enough to be purged at once. */
  readonly isSmall: boolean;
};

/** Returns a version at the beginning. The ordinal of `null` is given, that of another is in its id. */
export function version(id: string, fields: Partial<Content> = {}): Content {
  const ordinal = id === "null" ? 2 : Number(id.slice(0, id.indexOf(".")));
  return contentOf({ kind: "object", version: id, ordinal, group: `g${id}`, ...fields });
}

export function put(name: string, mode: Mode | undefined, fields: Partial<Put> = {}): Put {
  return {
    kind: "put",
    name,
    mode,
    isMarker: false,
    condition: undefined,
    retention: 0,
    ...fields,
  };
}

/** Keys at the beginning, the newest version first. */
export const KEYS = {
  two: [version("2.b"), version("1.a")],
  "current null": [version("null"), version("1.a")],
  "old null": [version("4.d"), version("3.c"), version("null"), version("1.a")],
  one: [version("1.a")],
  none: [],
} as const satisfies Record<string, readonly Content[]>;

/** Operations on the keys, for pairs. */
export const OPERATIONS: Readonly<
  Record<"two" | "current null" | "old null", readonly Operation[]>
> = {
  two: [
    put("x", "E"),
    put("y", "E", { isMarker: true }),
    put("s", "S"),
    { kind: "delete", version: "1.a" },
    { kind: "delete", version: "2.b" },
    { kind: "tag", version: "1.a", tags: 5 },
    { kind: "tag", version: "2.b", tags: 6 },
    { kind: "get", version: "1.a" },
    { kind: "get", version: "2.b" },
    { kind: "get", version: undefined },
    { kind: "list" },
    { kind: "emptyTrash" },
    { kind: "sweep" },
  ],
  "current null": [
    put("x", "E"),
    put("s", "S"),
    put("m", "S", { isMarker: true }),
    { kind: "delete", version: "null" },
    { kind: "delete", version: "1.a" },
    { kind: "tag", version: "null", tags: 3 },
    { kind: "get", version: "null" },
    { kind: "list" },
    { kind: "emptyTrash" },
    { kind: "sweep" },
  ],
  "old null": [
    put("x", "E"),
    put("s", "S"),
    { kind: "delete", version: "null" },
    { kind: "delete", version: "4.d" },
    { kind: "tag", version: "null", tags: 3 },
    { kind: "get", version: "null" },
    { kind: "sweep" },
  ],
};

/** Returns an operation that another client runs at the same time: it puts another version. */
export function another(operation: Operation): Operation {
  return operation.kind === "put" ? { ...operation, name: `${operation.name}2` } : operation;
}

/** Returns a random scenario of two or three clients in one mode or two. */
export function randomScenario(random: Random, natives: boolean): Scenario {
  const versions: readonly Content[] = random.pick(Object.values(KEYS));
  const ids = versions.map(({ version }) => version);
  if (ids.length === 0) ids.push("null");
  let count = 0;
  const operation = (): Operation => {
    const name = `p${++count}`;
    const id = random.pick(ids);
    switch (random.below(natives ? 13 : 11)) {
      case 0:
      case 1:
        return put(name, "E");
      case 2:
        return put(name, "S");
      case 3:
        return put(name, random.pick(["E", "S"]), { isMarker: true });
      case 4:
        return put(name, "E", { condition: random.pick(["", versions[0]?.group ?? ""]) });
      case 5:
      case 6:
        return { kind: "delete", version: id };
      case 7:
        return { kind: "tag", version: id, tags: count };
      case 8:
        return { kind: "get", version: random.chance(0.7) ? id : undefined };
      case 9:
        return { kind: "list" };
      case 10:
        return { kind: random.pick(["emptyTrash", "sweep"] as const) };
      default:
        return { kind: "native", does: random.pick(["put", "delete", "update"] as const), name };
    }
  };
  const programs = Array.from(
    { length: random.pick([2, 3]) },
    () => Array.from({ length: random.pick([1, 1, 2]) }, operation),
  );
  return { versions, programs, isSmall: random.chance(0.5) };
}
