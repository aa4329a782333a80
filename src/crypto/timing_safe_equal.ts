/**
 * A comparison whose duration does not reveal where two texts differ.
 * @module
 */

/**
 * Returns whether two texts are the same. Its duration reveals only their lengths.
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
