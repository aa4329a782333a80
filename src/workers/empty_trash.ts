/**
 * Empties the trash that this gateway fills. What a gateway leaves when it dies the sweep of another one finds.
 * @module
 */

import { isS3Error } from "../s3/errors.ts";
import type { FreeReport, Maintenance } from "../store/maintenance.ts";
import type { Log } from "../telemetry/log.ts";
import { every } from "./every.ts";

/**
 * Empties trash until the signal aborts.
 *
 * @param options `grace` is how long the store keeps what was replaced, in milliseconds.
 */
export function emptyTrashes(
  store: Pick<Maintenance, "bucketsToFree" | "freeReplaced">,
  { grace, log, signal, report }: {
    readonly grace: number;
    readonly log: Log;
    readonly signal: AbortSignal;
    /** Told of each bucket's trash; undefined of one that was not emptied for an error. */
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
