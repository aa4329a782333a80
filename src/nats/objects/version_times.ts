/**
 * Times of modification, which never run backwards along the versions of a key.
 * @module
 */

import type { Current } from "./current.ts";

/** Returns a time of modification that is not before that of the version before. */
export function notBefore(now: Date, before: Pick<Current, "parsed" | "marker"> | undefined): Date {
  const { parsed, marker } = before ?? {};
  const last = parsed?.kind === "object" ? parsed.object.info.modified : marker?.modified;
  return last !== undefined && last > now ? last : now;
}
