/**
 * The object info of a renamed object: everything stays but the name.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import { isRecord } from "./json.ts";
import type { RawInfo } from "./unknown_fields.ts";

/**
 * Returns the JSON of a metadata message under a new key.
 *
 * @param modified The time that clients see. Object info of a native client does not state it: there it is the time of the
 * message, which a rename changes.
 *
 * @example Usage
 * ```ts
 * import { formatRenamed } from "./renamed_info.ts";
 * import type { ObjectKey } from "../../s3/names.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const old = { name: "a", nuid: "x", color: "red" };
 * strictEqual(
 *   formatRenamed(old, "b" as ObjectKey, new Date(0)),
 *   '{"name":"b","nuid":"x","color":"red","metadata":{"s3.modified":"1970-01-01T00:00:00.000Z"}}',
 * );
 * ```
 */
export function formatRenamed(raw: RawInfo, key: ObjectKey, modified: Date): string {
  const metadata = isRecord(raw["metadata"]) ? raw["metadata"] : {};
  return JSON.stringify({
    ...raw,
    name: key,
    metadata: { ...metadata, "s3.modified": modified.toISOString() },
  });
}
