/**
 * What the verbs of accounts and users have in common: the account that an operand names, time and randomness, and texts.
 * @module
 */

import { findAccount } from "../iam/changes/accounts.ts";
import type { Directory } from "../iam/directory.ts";
import type { AccessKey, Change } from "../iam/entities.ts";
import type { Sources } from "../iam/identifiers.ts";
import { isAccountId } from "../s3/account.ts";
import { randomBytes, wallClock } from "../world/world.ts";

/** Returns the time and the randomness of a change. */
export function sourcesNow(): Sources {
  return { now: wallClock(), random: randomBytes };
}

/**
 * Returns the number of the account that an operand names: by its number, its name or its alias. A number of which there is no
 * record may be that of an account of configured keys.
 *
 * @throws RangeError for the user
 */
export function accountNumber(directory: Directory, text: string): string {
  const account = findAccount(directory, text);
  if (account !== undefined) return account.id;
  if (isAccountId(text)) return text;
  throw new RangeError(`There is no account "${text}"`);
}

/** A plan of which each step sees what the steps before it have changed. */
export type Step = (directory: Directory) => readonly Change[];

/** Returns the plan of some steps. */
export function inSteps(...steps: readonly Step[]): Step {
  return (directory) => {
    let [now, changes] = [directory, [] as readonly Change[]];
    for (const step of steps) {
      const more = step(now);
      now = now.with(more);
      changes = [...changes, ...more];
    }
    return changes;
  };
}

/** Returns a key as a line, without its secret. */
export function formatKey({ id, isActive, created }: AccessKey): string {
  return `${id} (${isActive ? "active" : "inactive"}, made ${created.toISOString()})`;
}

/** Returns a key as the object that `--json` prints, without its secret. */
export function keyToJson({ id, isActive, created }: AccessKey): Readonly<Record<string, unknown>> {
  return { id, active: isActive, created: created.toISOString() };
}

/** Returns rows as the lines of a table with a heading. */
export function formatRows(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  );
}

/** Returns the only key of a holder that another moment did not have. */
export function newestKey(keys: readonly AccessKey[]): AccessKey {
  const key = keys.at(-1);
  if (key === undefined) throw new TypeError("Cannot find the access key that was made");
  return key;
}
