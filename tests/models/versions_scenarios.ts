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
  /** Trash at the beginning. */
  readonly trash?: readonly Content[];
  /** A record of the null version that a put hid before it died; such a history is not checked for its order. */
  readonly hidden?: Content;
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

/** A key, and operations of which two at a time are explored. */
export type Group = Omit<Scenario, "programs" | "isSmall"> & {
  readonly operations: readonly Operation[];
};

const NATIVES: readonly Operation[] = (["put", "delete", "update"] as const).map((does) => ({
  kind: "native",
  does,
  name: `n-${does}`,
}));

/** Groups of operations. */
export const GROUPS = {
  "a key with two versions": {
    versions: KEYS.two,
    operations: [
      put("x", "E"),
      put("y", "E", { isMarker: true }),
      put("s", "S"),
      put("i", "E", { condition: "g2.b" }),
      put("d", "E", { condition: "g2.b", isMarker: true }),
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
  },
  "a key whose current version is null": {
    versions: KEYS["current null"],
    operations: [
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
  },
  "a key with an old null version": {
    versions: KEYS["old null"],
    operations: [
      put("x", "E"),
      put("s", "S"),
      { kind: "delete", version: "null" },
      { kind: "delete", version: "4.d" },
      { kind: "tag", version: "null", tags: 3 },
      { kind: "get", version: "null" },
      { kind: "sweep" },
    ],
  },
  "an absent key": {
    versions: [],
    operations: [
      put("x", "E"),
      put("i", "E", { condition: "" }),
      put("s", "S", { condition: "" }),
      put("y", "E", { isMarker: true }),
      { kind: "sweep" },
    ],
  },
  "a key under lock": {
    versions: [version("3.c"), version("2.b", { retention: 5 }), version("1.a", { hold: true })],
    operations: [
      put("x", "E", { retention: 5 }),
      { kind: "delete", version: "1.a" },
      { kind: "delete", version: "2.b" },
      { kind: "delete", version: "3.c" },
      { kind: "hold", version: "1.a", hold: false },
      { kind: "hold", version: "3.c", hold: true },
      { kind: "retain", version: "2.b", retention: 3 },
      { kind: "retain", version: "3.c", retention: 7 },
      { kind: "get", version: "3.c" },
    ],
  },
  "a full bucket": {
    versions: KEYS.two,
    room: 0,
    operations: [
      put("x", "E"),
      put("s", "S"),
      { kind: "delete", version: "1.a" },
      { kind: "delete", version: "2.b" },
      { kind: "tag", version: "1.a", tags: 5 },
      { kind: "get", version: "1.a" },
      { kind: "emptyTrash" },
    ],
  },
  "versioning begins": {
    versions: [version("null", { ordinal: 0 })],
    mode: "U",
    operations: [
      { kind: "setMode", mode: "E" },
      put("x", undefined),
      put("y", undefined, { isMarker: true }),
      { kind: "delete", version: "null" },
      { kind: "get", version: "null" },
      { kind: "list" },
    ],
  },
  "versioning begins again": {
    versions: KEYS["old null"],
    mode: "S",
    operations: [
      { kind: "setMode", mode: "E" },
      put("x", undefined),
      put("y", undefined, { isMarker: true }),
      { kind: "delete", version: "null" },
      { kind: "list" },
    ],
  },
  "a locked null version that a held-up put has hidden": {
    versions: [version("null", { ordinal: 5, group: "gx" }), version("4.d")],
    hidden: version("null", { hold: true }),
    operations: [
      put("x", "E"),
      put("y", "E", { isMarker: true }),
      { kind: "delete", version: "null" },
      { kind: "tag", version: "null", tags: 3 },
      { kind: "sweep" },
    ],
  },
  "a key that a native client wrote": {
    versions: [version("null", { ordinal: 0, isOurs: false }), version("2.b"), version("1.a")],
    operations: [
      put("x", "E"),
      put("s", "S"),
      { kind: "delete", version: "null" },
      { kind: "delete", version: "2.b" },
      { kind: "get", version: "null" },
      { kind: "list" },
      { kind: "sweep" },
    ],
  },
  // Both versions name the same group. A put in an enabled bucket is left out: archived, the null version is not found
  // when the other version is deleted.
  "a key that a native client updated": {
    versions: [
      version("null", { ordinal: 0, isOurs: false, group: "g1.a" }),
      version("1.a"),
    ],
    operations: [
      put("s", "S"),
      { kind: "delete", version: "null" },
      { kind: "delete", version: "1.a" },
      { kind: "get", version: "null" },
      { kind: "emptyTrash" },
      { kind: "sweep" },
    ],
  },
  "trash that is still named": {
    versions: KEYS.two,
    trash: [
      contentOf({ kind: "trash", version: "2.b", group: "g2.b" }),
      contentOf({ kind: "trash", version: "1.a", group: "g1.a" }),
    ],
    operations: [
      put("x", "E"),
      put("s", "S"),
      { kind: "delete", version: "1.a" },
      { kind: "delete", version: "2.b" },
      { kind: "get", version: "1.a" },
      { kind: "emptyTrash" },
    ],
  },
  "native clients": {
    versions: KEYS.two,
    operations: [
      ...NATIVES,
      put("x", "E"),
      put("s", "S"),
      { kind: "delete", version: "1.a" },
      { kind: "delete", version: "2.b" },
      { kind: "tag", version: "2.b", tags: 6 },
      { kind: "get", version: "2.b" },
      { kind: "emptyTrash" },
      { kind: "sweep" },
    ],
  },
} satisfies Record<string, Group>;

/** Returns an operation that another client runs at the same time: it puts another version. */
export function another(operation: Operation): Operation {
  return operation.kind === "put" ? { ...operation, name: `${operation.name}2` } : operation;
}
