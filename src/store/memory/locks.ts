/**
 * The locks of new versions in memory.
 * @module
 */

import { checkUntil, retentionFrom } from "../../s3/object_lock.ts";
import type { LockInput, ObjectInfo } from "../objects.ts";

/** @throws S3Error `InvalidArgument` for retention that would end in the past */
export function checkLock(lock: LockInput | undefined, now: Date): void {
  const retention = lock?.retention;
  if (retention !== undefined && "until" in retention) checkUntil(retention.until, now);
}

/** Returns the locks of a version that is made at this time. */
export function lockOf(
  lock: LockInput | undefined,
  modified: Date,
): Pick<ObjectInfo, "retention" | "legalHold"> {
  return {
    retention: retentionFrom(lock?.retention, modified),
    ...(lock?.legalHold === true && { legalHold: true }),
  };
}
