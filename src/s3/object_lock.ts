/**
 * Object lock: which versions nobody may remove, and how their retention may change.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 * @module
 */

import { S3Error } from "./errors.ts";
import type { ObjectKey } from "./names.ts";

/** Retention of a version: nobody removes it before `until`. */
export type Retention = { readonly mode: string; readonly until: Date };

/** The locks of a version. */
export type Locks = {
  readonly retention: Retention | undefined;
  readonly legalHold?: boolean | undefined;
};

/** Milliseconds. A year of retention has 365 of them. */
const DAY = 24 * 60 * 60 * 1000;

/**
 * Checks that a version may be removed for good.
 *
 * @param now The time of the clock that counts, which is not the gateway's.
 * @param bypass The caller may and wants to remove a version under retention of mode GOVERNANCE.
 * @throws S3Error `AccessDenied`
 *
 * @example Usage
 * ```ts
 * import { checkRemoval } from "./object_lock.ts";
 * import type { ObjectKey } from "./names.ts";
 * import { throws } from "node:assert/strict";
 *
 * const key = "key" as ObjectKey;
 * const retention = { mode: "GOVERNANCE", until: new Date(1000) };
 * throws(() => checkRemoval(key, { retention }, new Date(0), false), { code: "AccessDenied" });
 * checkRemoval(key, { retention }, new Date(0), true);
 * checkRemoval(key, { retention }, new Date(1000), false);
 * ```
 */
export function checkRemoval(
  key: ObjectKey,
  { retention, legalHold }: Locks,
  now: Date,
  bypass: boolean,
): void {
  const isRetained = isInForce(retention, now) && !(bypass && retention?.mode === "GOVERNANCE");
  if (isRetained || legalHold === true) throw protectedByLock(key);
}

/**
 * Checks that the retention of a version may change. As on AWS, retention of mode GOVERNANCE may be extended by anybody,
 * and every other change of it needs the bypass; retention of mode COMPLIANCE may only be extended.
 *
 * @param change `retention` is undefined to remove it.
 * @param now The time of the clock that counts, which is not the gateway's.
 * @throws S3Error `InvalidArgument` for a date in the past; `AccessDenied`
 */
export function checkRetentionChange(
  key: ObjectKey,
  present: Retention | undefined,
  change: { readonly retention: Retention | undefined; readonly bypass: boolean },
  now: Date,
): void {
  const { retention, bypass } = change;
  if (retention !== undefined) checkUntil(retention.until, now);
  if (present === undefined || !isInForce(present, now)) return;
  const isExtended = retention?.mode === present.mode && retention.until >= present.until;
  if (!isExtended && !(bypass && present.mode === "GOVERNANCE")) throw protectedByLock(key);
}

/**
 * Checks that retention ends in the future.
 *
 * @throws S3Error `InvalidArgument`
 */
export function checkUntil(until: Date, now: Date): void {
  if (until > now) return;
  throw new S3Error("InvalidArgument", {
    ArgumentName: "x-amz-object-lock-retain-until-date",
    ArgumentValue: until.toISOString(),
  }, { message: "The retain until date must be in the future!" });
}

/** Returns the retention of a new version. Days count from its time of modification. */
export function retentionFrom<Mode extends string>(
  given:
    | { readonly mode: Mode; readonly until: Date }
    | { readonly mode: Mode; readonly days: number }
    | undefined,
  modified: Date,
): { readonly mode: Mode; readonly until: Date } | undefined {
  if (given === undefined || "until" in given) return given;
  return { mode: given.mode, until: new Date(modified.getTime() + given.days * DAY) };
}

function isInForce(retention: Retention | undefined, now: Date): boolean {
  return retention !== undefined && retention.until > now;
}

function protectedByLock(key: ObjectKey): S3Error {
  return new S3Error("AccessDenied", { Key: key }, {
    message: "Access Denied because object protected by object lock.",
  });
}
