/**
 * The limit of a bucket's objects, in the metadata of its stream. JetStream cannot enforce it: it counts messages, and an
 * object has many.
 *
 * Pure.
 * @module
 */

type Metadata = Readonly<Record<string, string>>;

/** Key of the limit in the metadata. */
const OBJECT_LIMIT = "s3-object-limit";

/** Returns the limit that metadata name; Infinity if they name none, or what cannot be one. */
export function objectLimitOf(metadata: Metadata = {}): number {
  const limit = metadata[OBJECT_LIMIT] ?? "";
  return /^[1-9][0-9]{0,14}$/.test(limit) ? Number(limit) : Infinity;
}

/** Returns metadata that name a limit, or none. */
export function withObjectLimit(metadata: Metadata, limit: number | undefined): Metadata {
  const { [OBJECT_LIMIT]: _, ...others } = metadata;
  return limit === undefined ? others : { ...others, [OBJECT_LIMIT]: String(limit) };
}
