/**
 * The object info of a version with another lock: everything else stays.
 * @module
 */

import type { LockChange } from "../../store/objects.ts";
import { isRecord } from "./json.ts";
import { lockMetadata, withoutRetention } from "./object_lock.ts";
import type { RawInfo } from "./unknown_fields.ts";

/**
 * Returns the JSON of a metadata message with another retention or legal hold.
 *
 * @param modified The time that clients see, which a rewrite of native object info would change.
 */
export function formatLocked(raw: RawInfo, change: LockChange, modified: Date): string {
  const metadata = isRecord(raw["metadata"]) ? raw["metadata"] : {};
  const rest = change.kind === "hold" ? metadata : withoutRetention(metadata);
  const lock = change.kind === "hold"
    ? lockMetadata({ legalHold: change.legalHold })
    : lockMetadata({ retention: change.retention });
  return JSON.stringify({
    ...raw,
    metadata: { ...rest, "s3.modified": modified.toISOString(), ...lock },
  });
}
