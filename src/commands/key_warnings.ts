/**
 * What the operator is told at the start about the keys of the configuration.
 * @module
 */

import type { Config } from "../config/config.ts";
import type { Log } from "../telemetry/log.ts";

/** Warns that every key may do everything if no entry of the credentials says whose key it is. */
export function warnOfKeys(
  { credentials }: { readonly credentials: Pick<Config["credentials"], "isSilent" | "isIsolated"> },
  log: Pick<Log, "warn">,
): void {
  if (!credentials.isSilent || credentials.isIsolated) return;
  log.warn("Every access key may do everything", {
    reason: 'No entry of the S3 credentials says "user", "account" or "admin"',
  });
}
