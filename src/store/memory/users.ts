/**
 * Accounts, users, groups, access keys and policies in memory.
 * @module
 */

import { Directory } from "../../iam/directory.ts";
import type { Entity } from "../../iam/entities.ts";
import type { Users } from "../users.ts";

/** Creates users in memory, which are always current. */
export function createMemoryUsers(entities: Iterable<Entity> = []): Users {
  let directory = new Directory(entities);
  return {
    current: () => directory,
    read: () => Promise.resolve(directory),
    change: (plan) =>
      Promise.try(() => {
        directory = directory.with(plan(directory));
        return directory;
      }),
  };
}
