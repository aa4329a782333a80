/**
 * Derives a key from a passphrase with scrypt.
 * See https://www.rfc-editor.org/rfc/rfc7914
 * @module
 */

import { scryptSync } from "node:crypto";
import type { SealingKey } from "./sealing.ts";

/** The parameters of scrypt: one guess takes 128 MiB and some tenths of a second. */
export const SCRYPT = { N: 2 ** 17, r: 8, p: 1 } as const;

const KEY_SIZE = 32;
const MAX_MEMORY = 256 * 1024 * 1024;

/** Returns the key of a passphrase, which is called `passphrase`. The salt is random and not secret. */
export function keyOfPassphrase(passphrase: string, salt: Uint8Array): SealingKey {
  const options = { ...SCRYPT, maxmem: MAX_MEMORY };
  return { id: "passphrase", bytes: scryptSync(passphrase, salt, KEY_SIZE, options) };
}
