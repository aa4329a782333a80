/**
 * A store that notes which of its operations are called.
 * @module
 */

import type { NatsStore } from "../../src/nats/store.ts";

/** Operations of a store, by name. */
export type Operations = {
  /** All that a store has. */
  readonly all: Set<string>;
  /** Those that somebody called. */
  readonly called: Set<string>;
};

/** Parts of a store that have operations of their own. */
const PARTS = ["administration", "users"] as const;

/** Returns a store that notes which of its operations are called. */
export function countedStore(store: NatsStore, operations: Operations): NatsStore {
  const counted = countedPart(store, "", operations);
  const parts = PARTS.map((part) => [part, countedPart(store[part], `${part}.`, operations)]);
  return Object.assign(counted, Object.fromEntries(parts));
}

function countedPart<T extends object>(part: T, prefix: string, { all, called }: Operations): T {
  const counted = Object.create(part) as Record<string, unknown>;
  for (const name of operationsOf(part)) {
    const operation = part[name as keyof T] as (...args: unknown[]) => unknown;
    all.add(prefix + name);
    counted[name] = (...args: unknown[]) => {
      called.add(prefix + name);
      return operation.apply(part, args);
    };
  }
  return counted as T;
}

/** Returns the names of the methods of an object, its own and those of its class. */
function operationsOf(part: object): readonly string[] {
  const prototype = Object.getPrototypeOf(part);
  const described = {
    ...(prototype === Object.prototype ? {} : Object.getOwnPropertyDescriptors(prototype)),
    ...Object.getOwnPropertyDescriptors(part),
  };
  return Object.entries(described)
    .filter(([name, { value }]) => typeof value === "function" && name !== "constructor")
    .map(([name]) => name);
}
