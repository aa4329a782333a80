/**
 * Object lock of stored versions, also of those that cannot be read.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import { checkRemoval } from "../../s3/object_lock.ts";
import type { ReadInfo } from "../layout/object_info.ts";

type Lockable = Pick<ReadInfo, "parsed" | "lockedUntil">;

/** Tells whether a version is under retention or a legal hold. */
export function isLocked({ parsed, lockedUntil }: Lockable, now: Date): boolean {
  return parsed.kind !== "absent" && lockedUntil !== undefined && lockedUntil > now;
}

/**
 * Refuses to remove a locked version.
 *
 * @param bypass The caller may and wants to remove one under retention of mode GOVERNANCE.
 * @throws S3Error `AccessDenied`
 */
export function checkUnlocked(key: ObjectKey, info: Lockable, bypass: boolean, now: Date): void {
  const { parsed, lockedUntil } = info;
  if (!isLocked(info, now) || lockedUntil === undefined) return;
  const stated = parsed.kind === "object"
    ? parsed.object.info
    : { retention: { mode: "COMPLIANCE", until: lockedUntil } };
  checkRemoval(key, stated, now, bypass);
}
