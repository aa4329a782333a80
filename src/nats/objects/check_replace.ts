/**
 * What is checked before an object is replaced: the precondition of the request, and what protects the object.
 * @module
 */

import { checkWrite, type WritePrecondition, type WriteValidators } from "../../s3/conditions.ts";
import type { ObjectKey } from "../../s3/names.ts";
import type { Current } from "./current.ts";
import { heldVersion } from "./version_records.ts";

/** Throws if the current object is protected. */
export type Guard = (key: ObjectKey, before: Current, now: Date) => void;

/**
 * Checks the precondition and the guard of a write.
 *
 * @throws S3Error
 */
export function checkReplace(
  key: ObjectKey,
  before: Current,
  precondition: WritePrecondition,
  guard: Guard | undefined,
  now: Date,
): void {
  checkWrite(precondition, validatorOf(before), key, heldVersion(before)?.id);
  guard?.(key, before, now);
}

/** Returns what conditions compare. An object that cannot be read exists and has none of them. */
export function validatorOf({ parsed }: Pick<Current, "parsed">): WriteValidators | undefined {
  switch (parsed.kind) {
    case "object":
      return parsed.object.info;
    case "unreadable":
      return UNREADABLE;
    case "absent":
      return undefined;
  }
}

const UNREADABLE: WriteValidators = { etag: undefined, size: undefined, modified: undefined };
