/**
 * Deleting in a full bucket: freeing room must never need room.
 *
 * Where even a delete marker is refused, the object info is deleted by its sequence. No message announces that, so the
 * object's bytes are purged at once, which makes room for the marker.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { isNuidOf } from "../layout/nuid.ts";
import { commitInfo, type Current, type NewInfo } from "./commit.ts";
import type { ObjectsContext } from "./context.ts";
import { leasedGroups, purgeGroup } from "./trash.ts";

/**
 * Deletes object info by its sequence, purges the bytes that it names, and publishes the marker once there is room.
 *
 * @returns false if another write replaced the object info first
 */
export async function deleteInFullBucket(
  needs: Pick<ObjectsContext, "requests" | "streams" | "log" | "doubt">,
  stream: BucketStream,
  key: ObjectKey,
  { sequence, nuid }: Pick<Current, "sequence" | "nuid">,
  marker: NewInfo,
): Promise<boolean> {
  if (!await needs.streams.deleteMessage(stream.stream, sequence)) return false;
  needs.doubt(stream.bucket, key);
  try {
    const isLeased = nuid === undefined || (await leasedGroups(needs, stream)).has(nuid);
    // The sweep frees a group that a reader holds, and one whose nuid was made for another key.
    if (nuid !== undefined && !isLeased && isNuidOf(nuid, key)) {
      await purgeGroup(needs, stream, nuid);
    }
    await commitInfo(needs, stream, key, marker, 0);
  } catch (cause) {
    needs.log.warn("a delete in a full bucket is unfinished; the sweep frees the rest", {
      bucket: stream.bucket,
      key,
      cause,
    });
  }
  return true;
}
