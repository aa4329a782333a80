/**
 * Calls that are made once for all callers that want the same at the same time.
 * @module
 */

/**
 * Shares the result of a call among the callers that ask for it while it is under way.
 *
 * @example Usage
 * ```ts
 * import { SharedCalls } from "./shared_calls.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * let calls = 0;
 * const shared = new SharedCalls<number>();
 * const work = async () => await Promise.resolve(++calls);
 * await Promise.all([shared.run("a", work), shared.run("a", work)]);
 * strictEqual(calls, 1);
 * strictEqual(await shared.run("a", work), 2);
 * ```
 */
export class SharedCalls<Value> {
  readonly #calls = new Map<string, Promise<Value>>();

  /** Joins the call under way for a key, or makes it. A failure is shared, too. */
  run(key: string, work: () => Promise<Value>): Promise<Value> {
    const known = this.#calls.get(key);
    if (known !== undefined) return known;
    const call = work().finally(() => this.#calls.delete(key));
    this.#calls.set(key, call);
    return call;
  }
}
