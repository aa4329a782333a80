/**
 * The headers of a request, copied once.
 *
 * The runtime's `Headers` validates, lower-cases and searches all names in every call, and a request needs about forty
 * calls. They were a tenth of the cost of a HEAD.
 * @module
 */

/** The part of the interface of `Headers` that we use. Names are lower-case. */
export interface RequestHeaders {
  get(name: string): string | null;
  has(name: string): boolean;
  keys(): Iterable<string>;
  [Symbol.iterator](): Iterator<[string, string]>;
}

/**
 * Copies headers. The values of a repeated header are joined with `", "`.
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
  // Five times as fast as an iteration.
  headers.forEach((value, name) => values.set(name, value));
  return {
    get: (name) => values.get(name) ?? null,
    has: (name) => values.has(name),
    keys: () => values.keys(),
    [Symbol.iterator]: () => values[Symbol.iterator](),
  };
}
