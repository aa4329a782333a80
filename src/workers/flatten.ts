/**
 * Rewrites objects that were uploaded in parts, one after the other, so that native clients read them.
 * @module
 */

import type { Maintenance, RewrittenObject } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { every } from "./every.ts";

/** Milliseconds between two looks whether an object waits. */
const INTERVAL = 1000;

/** Rewrites what waits until the signal aborts. */
export function rewriteParts(
  store: Pick<Maintenance, "rewriteNext">,
  { log, signal, report }: {
    readonly log: Log;
    readonly signal: AbortSignal;
    /** Told of each object; undefined of one that was not rewritten for an error. */
    readonly report?: (object: RewrittenObject | undefined) => void;
  },
): Promise<void> {
  return every(INTERVAL, signal, async () => {
    while (!signal.aborted) {
      const object = await store.rewriteNext(signal);
      if (object === undefined) return;
      report?.(object);
      if (object.outcome === "too-large") log.warn("Native clients cannot read the object", object);
      else log.debug("Looked at an object in parts", object);
    }
  }, (cause) => {
    report?.(undefined);
    log.warn("An object was not rewritten for native clients", { cause });
  });
}
