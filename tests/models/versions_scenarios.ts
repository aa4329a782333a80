/**
 * Scenarios of the versions model: keys, operations on them, and random programs.
 * @module
 */

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
