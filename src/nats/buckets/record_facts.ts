/**
 * What records say about a bucket as a whole.
 * @module
 */

import type { BucketName } from "../../s3/names.ts";
import { monotonic } from "../../world/world.ts";
import type { Requests } from "../jetstream/requests.ts";
import type { StoreName } from "../layout/names.ts";
import { LAYOUT_VERSION } from "../layout/subjects.ts";
import { checkLayoutVersion } from "./layout_version.ts";
import { hasRenamedGroups } from "./renamed_groups.ts";
import type { StreamInfo } from "./stream_config.ts";
import type { ReportUnreadable } from "./unreadable.ts";

/** Facts in records. */
export type RecordFacts = {
  /** Some object was renamed, and its group is still there. */
  readonly hasRenamed: boolean;
  /** Version of the layout. */
  readonly layout: number;
  /** A record states the version. Until its creator has written the first records, a stream has none. */
  readonly isStated: boolean;
};

/** The facts of a stream that cannot hold records. */
export const WITHOUT_RECORDS: RecordFacts = {
  hasRenamed: false,
  layout: LAYOUT_VERSION,
  isStated: false,
};

/**
 * Reads the facts.
 *
 * @throws S3Error `InternalError` for a layout that this gateway does not know
 */
export async function readRecordFacts(
  requests: Requests,
  bucket: BucketName,
  store: StoreName,
  report: ReportUnreadable | undefined,
): Promise<RecordFacts> {
  const [hasRenamed, layout] = await Promise.all([
    hasRenamedGroups(requests, store),
    checkLayoutVersion(requests, bucket, store, report),
  ]);
  return { hasRenamed, layout: layout ?? LAYOUT_VERSION, isStated: layout !== undefined };
}

/** Milliseconds within which the creator of a stream writes its first records, or has crashed. */
const CREATION = 60_000;
const UNKNOWN = { at: -Infinity, checked: -Infinity } as const;

/**
 * Returns when facts were read, as it counts for keeping them: that a stream states no version is not kept while the stream is
 * being created.
 *
 * @param checked When its records were read.
 */
export function keptTimes(
  { prepared, isStated }: Pick<RecordFacts, "isStated"> & { readonly prepared: boolean },
  { ts, created }: Pick<StreamInfo, "ts" | "created">,
  checked: number,
): { readonly at: number; readonly checked: number } {
  const isNew = prepared && !isStated && Date.parse(ts) - Date.parse(created) < CREATION;
  return isNew ? UNKNOWN : { at: monotonic(), checked };
}
