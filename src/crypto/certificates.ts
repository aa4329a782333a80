/**
 * What certificates and private keys in PEM say of themselves, before anybody is served with them.
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/**
 * Checks that a text holds certificates, all of which can be read.
 *
 * @throws RangeError that says what is wrong with the text
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
 * Checks that a text holds a private key that can be read without a password.
 *
 * @throws RangeError that says what is wrong with the text, and nothing of the key
 */
export function checkPrivateKey(pem: string): void {
  if (!/-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/.test(pem)) {
    throw new RangeError("it holds no private key in PEM");
  }
  if (/ENCRYPTED/.test(pem)) {
    throw new RangeError(
      "the key is encrypted: decrypt it, as by `openssl pkey -in KEY -out KEY-IN-THE-CLEAR`",
    );
  }
  try {
    createPrivateKey(pem);
  } catch {
    throw new RangeError("the private key in it cannot be read");
  }
}

/** Whether a private key belongs to a certificate, of several to the first. Both have been checked. */
export function isPair(cert: string, key: string): boolean {
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
}

/** From when until when a certificate is valid, of several the first. It has been checked. */
export function validityOf(cert: string): { readonly from: Date; readonly to: Date } {
  const { validFrom, validTo } = new X509Certificate(cert);
  return { from: new Date(validFrom), to: new Date(validTo) };
}
