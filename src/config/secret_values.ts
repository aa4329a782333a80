/**
 * Parses texts of settings into NATS credentials, certificates and private keys.
 *
 * Errors say what is wrong with the text, to follow a colon, and never repeat it.
 * @module
 */

import { checkCertificates, checkPrivateKey } from "../crypto/certificates.ts";

/** Returns the NKey seed that a text contains. */
export function parseSeed(text: string): string {
  const seed = /S[UA][A-Z2-7]{56}/.exec(text)?.[0];
  if (seed === undefined) throw new RangeError("it does not contain an NKey seed (SU…)");
  return seed;
}

/** Checks a NATS credentials file and returns it unchanged. */
export function parseCreds(text: string): string {
  if (!text.includes("BEGIN NATS USER JWT") || !text.includes("BEGIN USER NKEY SEED")) {
    throw new RangeError("it does not contain a NATS user JWT and an NKey seed");
  }
  return text;
}

/** Returns whether a text is PEM, as opposed to the path of a file. */
export function isPem(text: string): boolean {
  return text.includes("-----BEGIN ");
}

/** Checks PEM certificates and returns them unchanged. */
export function parseCertificates(text: string): string {
  checkCertificates(text);
  return text;
}

/** Checks a PEM private key and returns it unchanged. */
export function parsePrivateKey(text: string): string {
  checkPrivateKey(text);
  return text;
}
