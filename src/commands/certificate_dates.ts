/**
 * Whether certificates are valid now, and will be in two weeks: the server that uses them does not ask, clients do.
 * @module
 */

import type { Config } from "../config/config.ts";
import { validityOf } from "../crypto/certificates.ts";
import type { Log } from "../telemetry/log.ts";

/** Milliseconds before its end from which a certificate is worth a warning. */
const SOON = 14 * 24 * 3_600_000;

/**
 * Warns of certificates that end soon, and of a client certificate that NATS will refuse.
 *
 * @throws RangeError when S3 would be served with a certificate that clients refuse
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
      text: `it is valid from ${from.toISOString()} on: is the clock right (${now.toISOString()})?`,
    };
  }
  if (to.getTime() - now.getTime() > SOON) return undefined;
  return { isValid: true, text: `it expires at ${to.toISOString()}: renew it, and restart` };
}
