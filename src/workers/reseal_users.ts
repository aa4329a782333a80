/**
 * Seals the secrets of users again after the operator has put a new key before the old one.
 * @module
 */

import type { Log } from "../telemetry/log.ts";
import { every } from "./every.ts";

/** Milliseconds between two looks for secrets that an older key sealed. */
const INTERVAL = 60_000;

/** The part of the store of users that the worker needs. */
export type ResealedUsers = {
  /** Seals some secrets again under the newest key. Returns the number of records that it changed. */
  readonly reseal: () => Promise<number>;
};

/** Seals secrets again, until the signal aborts. Several gateways may do so: a record is changed once. */
export function resealUsers(
  users: ResealedUsers,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  return every(INTERVAL, signal, async () => {
    let records = 0;
    for (let count = 1; count > 0 && !signal.aborted; records += count) {
      count = await users.reseal();
    }
    if (records > 0) log.info("Sealed secrets of users under the newest key", { records });
  }, (cause) => log.warn("Secrets of users are still sealed under an older key", { cause }));
}
