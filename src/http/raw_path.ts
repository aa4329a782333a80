/**
 * The path of a URL as the client sent it.
 * @module
 */

/**
 * Cuts the path out of a URL: `new URL()` would fold it.
 *
 * @example Usage
 * ```ts
 * import { rawPathOf } from "./raw_path.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(rawPathOf("http://localhost/a/../b%2f?c#d"), "/a/../b%2f");
 * strictEqual(rawPathOf("http://localhost"), "/");
 * ```
 */
export function rawPathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start < 0 ? "/" : url.slice(start).replace(/[?#].*$/s, "");
}
