/**
 * The lock of a new version, in every store.
 * @module
 */

import { checkUntil, retentionFrom } from "../s3/object_lock.ts";
import type { LockInput, ObjectInfo } from "./objects.ts";

/**
 * Refuses a lock for a new version whose retention ends in the past.
 *
 * @throws S3Error `InvalidArgument`
 */
export function checkNewLock(lock: LockInput | undefined, now: Date): void {
  const retention = lock?.retention;
  if (retention !== undefined && "until" in retention) checkUntil(retention.until, now);
}

/** Returns the lock of a version that is modified at a moment. */
export function lockFrom(
  lock: LockInput | undefined,
  modified: Date,
): Pick<ObjectInfo, "retention" | "legalHold"> {
  return {
    retention: retentionFrom(lock?.retention, modified),
    ...(lock?.legalHold !== undefined && { legalHold: lock.legalHold }),
  };
}
