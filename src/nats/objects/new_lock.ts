/**
 * The object lock of a new version.
 * @module
 */

import type { LockInput, ObjectInfo } from "../../store/objects.ts";
import { pastDateError } from "./lock_guard.ts";

const DAY = 24 * 60 * 60 * 1000;

/**
 * Refuses retention that ends in the past.
 *
 * @param now By nats-server's clock.
 * @throws S3Error `InvalidArgument`
 */
export function checkLock(lock: LockInput | undefined, now: Date): void {
  const retention = lock?.retention;
  if (retention !== undefined && "until" in retention && retention.until <= now) {
    throw pastDateError();
  }
}

/** Returns the lock of a version that is modified at a moment. */
export function lockFrom(
  lock: LockInput | undefined,
  modified: Date,
): Pick<ObjectInfo, "retention" | "legalHold"> {
  const { retention, legalHold } = lock ?? {};
  const until = retention === undefined
    ? undefined
    : "until" in retention
    ? retention.until
    : new Date(modified.getTime() + retention.days * DAY);
  return {
    retention: retention && until && { mode: retention.mode, until },
    ...(legalHold === true && { legalHold }),
  };
}
