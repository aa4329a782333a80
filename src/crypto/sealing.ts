/**
 * Seals short secrets with AES-256-GCM, under keys that are rotated.
 * See https://doi.org/10.6028/NIST.SP.800-38D
 *
 * A sealed text is `<id of the key>:<base64url of nonce, ciphertext and tag>`. The nonce is random: 2^32 texts under one key are
 * safe.
 * @module
 */

import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { randomBytes } from "../world/world.ts";

/** A key with the id by which sealed texts name it. */
export type SealingKey = { readonly id: string; readonly bytes: Uint8Array };

const ALGORITHM = "aes-256-gcm";
const KEY_SIZE = 32;
const NONCE_SIZE = 12;
const TAG_SIZE = 16;
const ID_DIGITS = 8;

/**
 * Parses a list of keys, newest first: `[id:]BASE64`, separated by commas. Without an id a key is called by the first eight
 * hex digits of its SHA-256.
 *
 * @throws RangeError whose message, to follow a colon, does not repeat the text
 *
 * @example Usage
 * ```ts
 * import { parseSealingKeys } from "./sealing.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
 * const keys = parseSealingKeys(`2027:${zeros.replace("AA", "AB")},${zeros}`);
 * deepStrictEqual(keys.map(({ id }) => id), ["2027", "66687aad"]);
 * ```
 */
export function parseSealingKeys(text: string): readonly SealingKey[] {
  const keys = text.trim().split(",").map((item, i) => parseKey(item.trim(), i + 1));
  for (const [i, { id }] of keys.entries()) {
    if (keys.findIndex((key) => key.id === id) < i) {
      throw new RangeError(`two of its keys have the id of key ${i + 1}`);
    }
  }
  return keys;
}

function parseKey(item: string, number: number): SealingKey {
  const colon = item.indexOf(":");
  const bytes = Buffer.from(item.slice(colon + 1), "base64");
  const isBase64 = /^[A-Za-z0-9+/_-]{43}=?$/.test(item.slice(colon + 1));
  if (!isBase64 || bytes.length !== KEY_SIZE) {
    throw new RangeError(`key ${number} is not [id:]BASE64 of 32 bytes`);
  }
  const id = colon === -1
    ? createHash("sha256").update(bytes).digest("hex").slice(0, ID_DIGITS)
    : item.slice(0, colon);
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(id)) {
    throw new RangeError(`the id of key ${number} is not 1 to 32 letters, digits, _ and -`);
  }
  return { id, bytes };
}

/** Seals under the newest of some keys, and opens what any of them sealed. */
export class Sealing {
  readonly #keys: ReadonlyMap<string, Uint8Array>;
  readonly #newest: SealingKey;

  /** @param keys Newest first, at least one. */
  constructor(keys: readonly SealingKey[]) {
    const [newest] = keys;
    if (newest === undefined) throw new RangeError("Cannot seal without a key");
    this.#newest = newest;
    this.#keys = new Map(keys.map(({ id, bytes }) => [id, bytes]));
  }

  /**
   * Seals a text.
   *
   * @param context A text that must be the same when it is opened, so that nobody moves it elsewhere.
   */
  seal(text: string, context: string): string {
    const nonce = randomBytes(NONCE_SIZE);
    const cipher = createCipheriv(ALGORITHM, this.#newest.bytes, nonce);
    cipher.setAAD(Buffer.from(context));
    const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final()]);
    const bytes = Buffer.concat([sealed, cipher.getAuthTag()]);
    return `${this.#newest.id}:${bytes.toString("base64url")}`;
  }

  /** Returns a sealed text; undefined if no key opens it. */
  open(sealed: string, context: string): string | undefined {
    const key = this.#keys.get(keyIdOf(sealed));
    const bytes = Buffer.from(sealed.slice(sealed.indexOf(":") + 1), "base64url");
    const end = bytes.length - TAG_SIZE;
    if (key === undefined || end < NONCE_SIZE) return undefined;
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_SIZE));
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(end));
    try {
      const text = decipher.update(bytes.subarray(NONCE_SIZE, end), undefined, "utf8");
      return text + decipher.final("utf8");
    } catch {
      return undefined;
    }
  }

  /** Returns whether a text is sealed under the newest key. */
  isNewest(sealed: string): boolean {
    return keyIdOf(sealed) === this.#newest.id;
  }
}

/** Returns the id of the key under which a text is sealed. */
export function keyIdOf(sealed: string): string {
  return sealed.slice(0, Math.max(sealed.indexOf(":"), 0));
}
