/**
 * The object info of an object with other tags: everything else stays.
 * @module
 */

import { isRecord } from "./json.ts";
import { TAG_PREFIX } from "./info_metadata.ts";
import type { RawInfo } from "./unknown_fields.ts";

/**
 * Returns the JSON of a metadata message with these tags instead of the ones that it states.
 *
 * @param modified The time that clients see. Object info of a native client does not state it: there it is the time of the
 * message, which the rewrite changes.
 *
 * @example Usage
 * ```ts
 * import { formatTagged } from "./tagged_info.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const old = { name: "a", metadata: { "x-amz-tag-a": "1", color: "red" }, nuid: "x" };
 * strictEqual(
 *   formatTagged(old, { b: "2" }, new Date(0)),
 *   '{"name":"a","metadata":{"color":"red","s3.modified":"1970-01-01T00:00:00.000Z","x-amz-tag-b":"2"},"nuid":"x"}',
 * );
 * ```
 */
export function formatTagged(
  raw: RawInfo,
  tags: Readonly<Record<string, string>>,
  modified: Date,
): string {
  const metadata = isRecord(raw["metadata"]) ? Object.entries(raw["metadata"]) : [];
  return JSON.stringify({
    ...raw,
    metadata: {
      ...Object.fromEntries(metadata.filter(([name]) => !name.startsWith(TAG_PREFIX))),
      "s3.modified": modified.toISOString(),
      ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [TAG_PREFIX + key, value])),
    },
  });
}
