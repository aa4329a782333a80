/**
 * Frees the bytes of objects that this gateway replaced or deleted. If a gateway dies, the sweep of another one frees
 * what it left.
 * @module
 */

import { isS3Error } from "../s3/errors.ts";
import type { Maintenance, TrashReport } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { every } from "./every.ts";

/**
 * Frees replaced and deleted objects until the signal aborts.
 *
 * @param options `grace` is the time for which the store keeps them, in milliseconds.
 */
export function emptyTrashes(
  store: Pick<Maintenance, "trashedBuckets" | "emptyTrash">,
  { grace, log, signal, report }: {
    readonly grace: number;
    readonly log: Log;
    readonly signal: AbortSignal;
    /** Called for each bucket, with undefined if an error occurred. */
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
