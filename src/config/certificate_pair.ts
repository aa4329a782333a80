/**
 * Puts a certificate and its private key together.
 * @module
 */

import { isPair } from "../crypto/certificates.ts";
import { SETTINGS, type Values } from "./settings.ts";

/** A certificate and its key, as PEM texts that have been checked. */
export type CertificatePair = { readonly cert: string; readonly key: string };

/**
 * Returns the pair that two settings name, or undefined if neither is set.
 *
 * @throws RangeError if only one is set, or if they do not belong together
 */
export function choosePair(
  values: Values,
  certName: "tlsCert" | "serverCert",
  keyName: "tlsKey" | "serverKey",
): CertificatePair | undefined {
  const flags = [SETTINGS[certName].flag, SETTINGS[keyName].flag] as const;
  const cert = values[certName];
  const key = values[keyName];
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new RangeError(`Cannot use --${flags[0]} without --${flags[1]}: set both or neither`);
  }
  if (!isPair(cert, key)) {
    throw new RangeError(
      `Cannot use --${flags[1]}: it is the key of another certificate than --${flags[0]}`,
    );
  }
  return { cert, key };
}
