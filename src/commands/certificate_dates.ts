/**
 * Checks that certificates are valid now and in two weeks. The server that uses them does not check this; clients do.
 * @module
 */

import type { Config } from "../config/config.ts";
import { validityOf } from "../crypto/certificates.ts";
import type { Log } from "../telemetry/log.ts";

/** A certificate that expires within so many milliseconds is worth a warning. */
const WARNING_PERIOD = 14 * 24 * 3_600_000;

/**
 * Warns about certificates that expire soon, and about a client certificate that NATS will reject.
 *
 * @throws RangeError for an S3 certificate that clients would reject
 */
export function checkDates(
  { tls, nats }: Pick<Config, "tls"> & { readonly nats: Pick<Config["nats"], "tls"> },
  log: Log,
  now: Date,
): void {
  const own = remarkOn(tls?.cert, now);
  if (own?.isValid === false) throw new RangeError(`Cannot use --tls.cert: ${own.text}`);
  const remarks = [["--tls.cert", own], [
    "--nats.tls-cert",
    remarkOn(nats.tls?.cert, now),
  ]] as const;
  for (const [setting, remark] of remarks) {
    if (remark !== undefined) {
      log.warn("A certificate must be renewed", { setting, reason: remark.text });
    }
  }
}

type Remark = { readonly isValid: boolean; readonly text: string };

function remarkOn(cert: string | undefined, now: Date): Remark | undefined {
  if (cert === undefined) return undefined;
  const { from, to } = validityOf(cert);
  if (now > to) return { isValid: false, text: `it expired at ${to.toISOString()}: renew it` };
  if (now < from) {
    return {
      isValid: false,
      text:
        `it is not valid before ${from.toISOString()}: is the clock right (${now.toISOString()})?`,
    };
  }
  if (to.getTime() - now.getTime() > WARNING_PERIOD) return undefined;
  return { isValid: true, text: `it expires at ${to.toISOString()}: renew it and restart` };
}
