/**
 * For whom work is done. Work that waits for something that all clients share, waits in the line of its client.
 *
 * The client is kept beside the work and not passed on with it: most functions on the way have no use for it.
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";

const current = new AsyncLocalStorage<string | undefined>();

/**
 * Runs work, and everything that it starts, for a client.
 *
 * @param client Undefined for work of no client, and for clients that cannot be told apart.
 *
 * @example Usage
 * ```ts
 * import { currentClient, workFor } from "./clients_work.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(workFor("ann", currentClient), "ann");
 * strictEqual(currentClient(), undefined);
 * ```
 */
export function workFor<Args extends unknown[], Result>(
  client: string | undefined,
  work: (...args: Args) => Result,
  ...args: Args
): Result {
  return current.run(client, work, ...args);
}

/** Returns the client for whom the current call works; undefined if there is none. */
export function currentClient(): string | undefined {
  return current.getStore();
}
