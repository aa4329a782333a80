/**
 * Empties the trash that this gateway fills. What a gateway leaves when it dies the sweep of another one finds.
 * @module
 */

import { isS3Error } from "../s3/errors.ts";
import type { Maintenance } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { every } from "./every.ts";

/**
 * Empties trash until the signal aborts.
 *
 * @param options `grace` is how long the store keeps what was replaced, in milliseconds.
 */
export function emptyTrashes(
  store: Pick<Maintenance, "trashedBuckets" | "emptyTrash">,
  { grace, log, signal }: {
    readonly grace: number;
    readonly log: Log;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  return every(grace / 4, signal, async () => {
    for (const bucket of store.trashedBuckets()) {
      if (signal.aborted) return;
      try {
        const report = await store.emptyTrash(bucket);
        if (report.purged > 0) log.debug("Emptied trash", { bucket, ...report });
      } catch (cause) {
        if (isS3Error(cause, "NoSuchBucket")) continue;
        log.warn("Trash was not emptied", { bucket, cause });
      }
    }
  }, (cause) => log.warn("Trash was not emptied", { cause }));
}
