/**
 * Checks of certificates and private keys in PEM, before a server uses them.
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/**
 * Checks that a text contains certificates and that all of them can be read.
 *
 * @throws RangeError with a message that explains the problem
 */
export function checkCertificates(pem: string): void {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new RangeError("it holds no certificate in PEM");
  for (const [i, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch {
      throw new RangeError(`certificate ${i + 1} of ${blocks.length} in it cannot be read`);
    }
  }
}

/**
 * Checks that a text contains a private key that can be read without a password.
 *
 * @throws RangeError with a message that explains the problem and reveals nothing of the key
 */
export function checkPrivateKey(pem: string): void {
  if (!/-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/.test(pem)) {
    throw new RangeError("it holds no private key in PEM");
  }
  if (/ENCRYPTED/.test(pem)) {
    throw new RangeError(
      "the key is encrypted: decrypt it, for example with `openssl pkey -in KEY -out KEY-IN-THE-CLEAR`",
    );
  }
  try {
    createPrivateKey(pem);
  } catch {
    throw new RangeError("the private key in it cannot be read");
  }
}

/** Returns whether a private key belongs to the first certificate in a text. Both must have been checked. */
export function isPair(cert: string, key: string): boolean {
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
}

/** Returns the validity period of the first certificate in a text, which must have been checked. */
export function validityOf(cert: string): { readonly from: Date; readonly to: Date } {
  const { validFrom, validTo } = new X509Certificate(cert);
  return { from: new Date(validFrom), to: new Date(validTo) };
}
