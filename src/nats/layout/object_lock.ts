/**
 * Object lock, as the Go gateway nats-s3 writes it into the `metadata` of object info.
 *
 * The guard of writes reads the lock by itself, before anything else in the object info is judged: an object that cannot
 * be read keeps its lock. Where a lock is stated but cannot be read, the object is locked forever, because someone meant
 * to keep it.
 * @module
 */

import type { ObjectInfo } from "../../store/objects.ts";
import { fieldInText, isRecord } from "./json.ts";
import { parseTime } from "./times.ts";

const MODE = "x-amz-object-lock-mode";
const UNTIL = "x-amz-object-lock-retain-until-date";
const HOLD = "x-amz-object-lock-legal-hold";
const MODES: readonly string[] = ["GOVERNANCE", "COMPLIANCE"];
const FOREVER = new Date("9999-12-31T00:00:00Z");

type Metadata = Readonly<Record<string, unknown>>;

/** Returns until when object info locks its object; undefined if it states no lock. */
export function lockedUntil(json: unknown): Date | undefined {
  if (!isRecord(json)) return undefined;
  const { metadata } = json;
  return isRecord(metadata) ? lockOf(metadata) : undefined;
}

/** Returns until when damaged object info, which is not JSON, locks its object. */
export function lockedUntilInText(text: string): Date | undefined {
  return lockOf({
    [MODE]: fieldInText(text, MODE),
    [UNTIL]: fieldInText(text, UNTIL),
    [HOLD]: fieldInText(text, HOLD),
  });
}

function lockOf({ [MODE]: mode, [UNTIL]: until, [HOLD]: hold }: Metadata): Date | undefined {
  if (isHeld(hold)) return FOREVER;
  return isStated(mode) ? parseTime(until) ?? FOREVER : undefined;
}

/** Another program's hold is kept, whatever its value, unless it says that it is off. */
function isHeld(hold: unknown): boolean {
  return isStated(hold) && hold !== "OFF";
}

function isStated(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Reads the retention of a readable object, as responses show it. */
export function parseRetention(metadata: Metadata): ObjectInfo["retention"] {
  const mode = metadata[MODE];
  if (typeof mode !== "string") return undefined;
  return { mode, until: parseTime(metadata[UNTIL]) ?? FOREVER };
}

/** Returns whether a readable object is under a legal hold: false if the hold is off, undefined if it never had one. */
export function parseLegalHold(metadata: Metadata): boolean | undefined {
  const hold = metadata[HOLD];
  return isStated(hold) ? isHeld(hold) : undefined;
}

/** Returns the metadata of a lock. */
export function lockMetadata(
  { retention, legalHold }: Partial<Pick<ObjectInfo, "retention" | "legalHold">>,
): Readonly<Record<string, string>> {
  return {
    ...(retention !== undefined && {
      [MODE]: retention.mode,
      [UNTIL]: retention.until.toISOString(),
    }),
    ...(legalHold !== undefined && { [HOLD]: legalHold ? "ON" : "OFF" }),
  };
}

/** Returns metadata without retention. */
export function withoutRetention({ [MODE]: _, [UNTIL]: __, ...rest }: Metadata): Metadata {
  return rest;
}

/** Returns whether the mode is one that responses may show, or there is none. */
export function isLockReadable(metadata: Metadata): boolean {
  const mode = metadata[MODE];
  return mode === undefined || (typeof mode === "string" && MODES.includes(mode));
}
