/**
 * The keys that sign the requests of one day to one region and service.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *
 * node:crypto derives the keys, because it is synchronous: Web Crypto is not, and took 15 to 52 µs for a signature where
 * node:crypto took 7 to 13. WebAssembly hashes the texts that they sign (see `sha256.ts`).
 * @module
 */

import { createHmac } from "node:crypto";
import { BoundedCache } from "../collections/bounded_cache.ts";
import { SERVICE, TERMINATOR } from "./credential_scope.ts";

/** A cache of signing keys. */
export type SigningKeys = (
  secret: string,
  day: string,
  region: string,
  service?: string,
) => Uint8Array;

/** Derives the key that signs the requests of one day to one region. */
export function signingKey(
  secret: string,
  day: string,
  region: string,
  service: string = SERVICE,
): Uint8Array {
  return hmac(hmac(hmac(hmac("AWS4" + secret, day), region), service), TERMINATOR);
}

/** Creates a cache of the most recently used signing keys. */
export function createSigningKeys(limit = 1024): SigningKeys {
  const keys = new BoundedCache<Uint8Array>(limit);
  return (secret, day, region, service = SERVICE) => {
    const name = `${day}/${region}/${service}/${secret}`;
    let key = keys.get(name);
    if (key === undefined) {
      key = signingKey(secret, day, region, service);
      keys.set(name, key, 1);
    }
    return key;
  };
}

function hmac(key: string | Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}
