/**
 * Counting the versions of a bucket.
 * @module
 */

import type { VersionPage, VersionQuery } from "../../store/listings.ts";
import { pause } from "../../world/world.ts";

/** Number of versions that are counted without a pause: ten milliseconds. */
const COUNTED_AT_ONCE = 5000;

/** The versions of a bucket. */
export type VersionCount = {
  /** Current versions that are no delete markers. */
  readonly objects: number;
  readonly objectBytes: number;
  /** Noncurrent versions, without delete markers. */
  readonly noncurrent: number;
  readonly noncurrentBytes: number;
  /** Delete markers, current ones included. */
  readonly markers: number;
};

/** Counts the versions of a bucket, page by page. Other work runs in between. */
export async function countVersions(
  read: (query: VersionQuery) => VersionPage,
): Promise<VersionCount> {
  const count = { objects: 0, objectBytes: 0, noncurrent: 0, noncurrentBytes: 0, markers: 0 };
  let next: VersionPage["next"] = { key: "", version: undefined };
  while (next !== undefined) {
    const page: VersionPage = read({
      ...{ prefix: "", delimiter: "", limit: COUNTED_AT_ONCE },
      ...{ afterKey: next.key, afterVersion: next.version },
    });
    for (const { isMarker, isLatest, size } of page.versions) {
      if (isMarker) count.markers++;
      else if (isLatest) {
        count.objects++;
        count.objectBytes += size;
      } else {
        count.noncurrent++;
        count.noncurrentBytes += size;
      }
    }
    next = page.next;
    if (next !== undefined) await pause(0);
  }
  return count;
}
