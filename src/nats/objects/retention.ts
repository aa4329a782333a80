/**
 * The guard of a locked object: nobody replaces or deletes it before its retention ends.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { ObjectKey } from "../../s3/names.ts";
import type { Current } from "./current.ts";

/**
 * Refuses to replace an object that is under retention, also one that cannot be read.
 *
 * @throws S3Error `AccessDenied`
 */
export function checkRetention(
  key: ObjectKey,
  { parsed, lockedUntil }: Current,
  now: Date,
): void {
  if (parsed.kind === "absent" || lockedUntil === undefined || lockedUntil <= now) return;
  throw new S3Error("AccessDenied", { Key: key }, {
    message: "Access Denied because object protected by object lock.",
  });
}
