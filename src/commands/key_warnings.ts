/**
 * What the operator is told at the start about the keys of the configuration.
 * @module
 */

import type { UserCredentials } from "../auth/user_credentials.ts";
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

/**
 * Looks for users, and checks that somebody administers their accounts. A gateway that cannot look yet refuses requests until
 * it can.
 *
 * @throws RangeError if there are accounts and no administrator
 */
export async function checkUsers(
  credentials: Pick<UserCredentials, "refresh" | "isIsolated">,
  { hasAdministrator }: Pick<Config["credentials"], "hasAdministrator">,
  log: Pick<Log, "warn">,
): Promise<void> {
  try {
    await credentials.refresh();
  } catch (cause) {
    log.warn("Users cannot be read yet: requests are refused until they can", { cause });
  }
  if (!credentials.isIsolated || hasAdministrator) return;
  throw new RangeError(
    'There are accounts, and no access key belongs to an administrator: give an entry of the S3 credentials "admin": true',
  );
}
