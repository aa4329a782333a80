/**
 * Frees the bytes of objects that this gateway replaced or deleted. If a gateway dies, the sweep of another one frees
 * what it left.
 * @module
 */

import { isS3Error } from "../s3/errors.ts";
import type { FreeReport, Maintenance } from "../store/maintenance.ts";
import type { Log } from "../telemetry/log.ts";
import { every } from "./every.ts";

/**
 * Frees replaced and deleted objects until the signal aborts.
 *
 * @param options `grace` is the time for which the store keeps them, in milliseconds.
 */
export function emptyTrashes(
  store: Pick<Maintenance, "bucketsToFree" | "freeReplaced">,
  { grace, log, signal, report }: {
    readonly grace: number;
    readonly log: Log;
    readonly signal: AbortSignal;
    /** Called for each bucket, with undefined if an error occurred. */
    readonly report?: (report: FreeReport | undefined) => void;
  },
): Promise<void> {
  return every(grace / 4, signal, async () => {
    for (const bucket of store.bucketsToFree()) {
      if (signal.aborted) return;
      try {
        const emptied = await store.freeReplaced(bucket);
        report?.(emptied);
        const { freed: purged, waiting } = emptied;
        if (purged > 0) log.debug("Emptied trash", { bucket, purged, waiting });
      } catch (cause) {
        if (isS3Error(cause, "NoSuchBucket")) continue;
        report?.(undefined);
        log.warn("Trash was not emptied", { bucket, cause });
      }
    }
  }, (cause) => log.warn("Trash was not emptied", { cause }));
}
