/**
 * The number of the account of a configured user who names none.
 * @module
 */

import { createHash } from "node:crypto";

const DIGITS = 12;

/**
 * Returns the first 12 decimal digits of the SHA-256 of a name, read as a number. Every gateway derives the same account,
 * and the account outlives the keys of its user.
 *
 * @example Usage
 * ```ts
 * import { derivedAccount } from "./derived_account.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(derivedAccount("alice"), "198311382978");
 * ```
 */
export function derivedAccount(name: string): string {
  const digest = createHash("sha256").update(name).digest("hex");
  return BigInt(`0x${digest}`).toString().padStart(DIGITS, "0").slice(0, DIGITS);
}
