/**
 * Rewrites multipart objects, one after the other, so that native clients can read them.
 * @module
 */

import type { FlattenResult, Maintenance } from "../store/maintenance.ts";
import type { Log } from "../telemetry/log.ts";
import { every } from "./every.ts";

/** Milliseconds between two checks for a waiting object. */
const INTERVAL = 1000;

/** Rewrites the objects that wait, until the signal aborts. */
export function flattenObjects(
  store: Pick<Maintenance, "flattenNext">,
  { log, signal, report }: {
    readonly log: Log;
    readonly signal: AbortSignal;
    /** Called for each object, with undefined if an error occurred. */
    readonly report?: (object: FlattenResult | undefined) => void;
  },
): Promise<void> {
  return every(INTERVAL, signal, async () => {
    while (!signal.aborted) {
      const object = await store.flattenNext(signal);
      if (object === undefined) return;
      report?.(object);
      const { outcome } = object;
      if (outcome === "too-large" || outcome === "no-room") {
        log.warn("Native clients cannot read the object", object);
      } else log.debug("Considered a multipart object", object);
    }
  }, (cause) => {
    report?.(undefined);
    log.warn("An object was not rewritten for native clients", { cause });
  });
}
