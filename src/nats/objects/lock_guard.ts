/**
 * Object lock, enforced: what keeps a version from being removed, and a lock from being weakened.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { ObjectKey } from "../../s3/names.ts";
import type { LockChange, ObjectInfo } from "../../store/objects.ts";
import type { ReadInfo } from "../layout/object_info.ts";

type Lockable = Pick<ReadInfo, "parsed" | "lockedUntil">;

/** Tells whether a version is under retention or a legal hold, also one that cannot be read. */
export function isLocked({ parsed, lockedUntil }: Lockable, now: Date): boolean {
  return parsed.kind !== "absent" && lockedUntil !== undefined && lockedUntil > now;
}

/**
 * Refuses to remove a locked version.
 *
 * @param bypass The caller may and wants to remove one under retention of mode GOVERNANCE.
 * @throws S3Error `AccessDenied`
 */
export function checkRemoval(
  key: ObjectKey,
  info: Lockable,
  bypass: boolean,
  now: Date,
): void {
  if (!isLocked(info, now)) return;
  const { parsed } = info;
  const object = parsed.kind === "object" ? parsed.object.info : undefined;
  if (bypass && object?.legalHold !== true && object?.retention?.mode === "GOVERNANCE") return;
  throw lockedError(key);
}

/**
 * Refuses a change that weakens a lock.
 *
 * @throws S3Error `AccessDenied`; `InvalidArgument` for a date in the past
 */
export function checkLockChange(
  key: ObjectKey,
  { retention: present }: Pick<ObjectInfo, "retention">,
  change: LockChange,
  now: Date,
): void {
  if (change.kind === "hold") return;
  const { retention, bypass } = change;
  if (retention !== undefined && retention.until <= now) throw pastDateError();
  if (present === undefined || present.until <= now) return;
  const isWeaker = retention === undefined || retention.until < present.until ||
    (present.mode === "COMPLIANCE" && retention.mode !== "COMPLIANCE");
  if (!isWeaker) return;
  if (present.mode === "GOVERNANCE" && bypass) return;
  throw lockedError(key);
}

/** Returns the error of a retention that ends before it begins. */
export function pastDateError(): S3Error {
  return new S3Error("InvalidArgument", {}, {
    message: "The retain until date must be in the future!",
  });
}

function lockedError(key: ObjectKey): S3Error {
  return new S3Error("AccessDenied", { Key: key }, {
    message: "Access Denied because object protected by object lock.",
  });
}
