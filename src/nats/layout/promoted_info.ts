/**
 * The object info of a noncurrent version that becomes current again: everything else stays.
 * @module
 */

import { isRecord } from "./json.ts";
import type { RawInfo } from "./unknown_fields.ts";
import { type VersionFacts, versionMetadata } from "./version_facts.ts";

/**
 * Returns the JSON of a metadata message that states its version.
 *
 * @param time When JetStream stored the object info first: the time of modification if it states none.
 *
 * @example Usage
 * ```ts
 * import { formatPromoted } from "./promoted_info.ts";
 * import { NULL_VERSION } from "../../s3/version_id.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(
 *   formatPromoted({ name: "a", metadata: { color: "red" } }, { id: NULL_VERSION, ordinal: 7 }, new Date(0)),
 *   '{"name":"a","metadata":{"s3.modified":"1970-01-01T00:00:00.000Z","color":"red","s3.version":"null","s3.ordinal":"7"}}',
 * );
 * ```
 */
export function formatPromoted(raw: RawInfo, version: VersionFacts, time: Date): string {
  const metadata = isRecord(raw["metadata"]) ? raw["metadata"] : {};
  return JSON.stringify({
    ...raw,
    metadata: { "s3.modified": time.toISOString(), ...metadata, ...versionMetadata(version) },
  });
}
