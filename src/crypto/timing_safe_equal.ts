/**
 * Comparison that does not tell, by the time it takes, where two texts differ.
 * @module
 */

/**
 * Whether two texts are the same. Only their lengths show in the time it takes.
 *
 * @example Usage
 * ```ts
 * import { isSameText } from "./timing_safe_equal.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(isSameText("aeeed9bb", "aeeed9bb"), true);
 * strictEqual(isSameText("aeeed9bb", "aeeed9bc"), false);
 * ```
 */
export function isSameText(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
