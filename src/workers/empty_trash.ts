/**
 * Empties the trash that this gateway fills. What a gateway leaves when it dies the sweep of another one finds.
 * @module
 */

import { isS3Error } from "../s3/errors.ts";
import type { Maintenance, TrashReport } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { every } from "./every.ts";

/**
 * Empties trash until the signal aborts.
 *
 * @param options `grace` is how long the store keeps what was replaced, in milliseconds.
 */
export function emptyTrashes(
  store: Pick<Maintenance, "trashedBuckets" | "emptyTrash">,
  { grace, log, signal, report }: {
    readonly grace: number;
    readonly log: Log;
    readonly signal: AbortSignal;
    /** Told of each bucket's trash; undefined of one that was not emptied for an error. */
    readonly report?: (report: TrashReport | undefined) => void;
  },
): Promise<void> {
  return every(grace / 4, signal, async () => {
    for (const bucket of store.trashedBuckets()) {
      if (signal.aborted) return;
      try {
        const emptied = await store.emptyTrash(bucket);
        report?.(emptied);
        if (emptied.purged > 0) log.debug("Emptied trash", { bucket, ...emptied });
      } catch (cause) {
        if (isS3Error(cause, "NoSuchBucket")) continue;
        report?.(undefined);
        log.warn("Trash was not emptied", { bucket, cause });
      }
    }
  }, (cause) => log.warn("Trash was not emptied", { cause }));
}
