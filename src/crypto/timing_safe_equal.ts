/**
 * Comparison that does not tell, by the time it takes, where two texts differ.
 * @module
 */

import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";

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
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
