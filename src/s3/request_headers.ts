/**
 * The headers of a request, read once.
 *
 * The runtime's `Headers` checks, lowers and searches through all of them with each question, and a request is asked
 * some forty: that was a tenth of what a HEAD cost.
 * @module
 */

/** What is asked of headers; `Headers` answers it as well. Names are lower-case. */
export interface RequestHeaders {
  get(name: string): string | null;
  has(name: string): boolean;
  keys(): Iterable<string>;
  [Symbol.iterator](): Iterator<[string, string]>;
}

/**
 * Copies headers. Values of a repeated one stand together, separated by `", "`.
 *
 * @example Usage
 * ```ts
 * import { readHeaders } from "./request_headers.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const headers = readHeaders(new Headers([["Range", "bytes=0-"], ["a", "1"], ["A", "2"]]));
 * strictEqual(headers.get("range"), "bytes=0-");
 * strictEqual(headers.get("a"), "1, 2");
 * strictEqual(headers.get("b"), null);
 * ```
 */
export function readHeaders(headers: Headers): RequestHeaders {
  const values = new Map<string, string>();
  // Five times as fast as to iterate.
  headers.forEach((value, name) => values.set(name, value));
  return {
    get: (name) => values.get(name) ?? null,
    has: (name) => values.has(name),
    keys: () => values.keys(),
    [Symbol.iterator]: () => values[Symbol.iterator](),
  };
}
