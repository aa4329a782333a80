/**
 * Keys as subject tokens: padded base64url, as nats.js and nats.go write them.
 * @module
 */

import { Buffer } from "node:buffer";
import { MAX_KEY_BYTES, type ObjectKey, parseObjectKey } from "../../s3/names.ts";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** The number that each base64url digit stands for, by character code; 64 for every other character. */
const SEXTETS = new Uint8Array(128).fill(64);
for (const [i, digit] of [...DIGITS].entries()) SEXTETS[digit.charCodeAt(0)] = i;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** The bytes of the key that was decoded last. */
const decoded = Buffer.alloc(MAX_KEY_BYTES + 3);

/** Returns the token of a key. */
export function encodeKey(key: ObjectKey): string {
  const text = Buffer.from(key, "utf8").toString("base64url");
  return text + "=".repeat(-text.length & 3);
}

/** Returns the key that a record names; undefined for a value that is not a key and must not become a subject. */
export function parseKey(value: unknown): ObjectKey | undefined {
  try {
    return typeof value === "string" ? parseObjectKey(value) : undefined;
  } catch {
    return undefined; // empty or too long
  }
}

/** Returns the key of a token, or undefined for any token that {@linkcode encodeKey} never writes: no read would find it. */
export function decodeKey(token: string): ObjectKey | undefined {
  const length = decodeBase64(token);
  if (length < 1 || length > MAX_KEY_BYTES) return undefined;
  for (let i = 0; i < length; i++) {
    if ((decoded[i] as number) > 0x7f) return decodeText(decoded.subarray(0, length));
  }
  return decoded.toString("latin1", 0, length) as ObjectKey;
}

function decodeText(bytes: Uint8Array): ObjectKey | undefined {
  try {
    return strictUtf8.decode(bytes) as ObjectKey;
  } catch {
    return undefined;
  }
}

/** Decodes padded base64url into `decoded`. Returns the number of bytes, or -1 for any other spelling. */
function decodeBase64(text: string): number {
  const { length } = text;
  if (length === 0 || length % 4 !== 0 || length > decoded.length * 4 / 3) return -1;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  let at = 0;
  for (let i = 0; i < length; i += 4) {
    const isLast = i + 4 === length;
    const a = sextet(text, i);
    const b = sextet(text, i + 1);
    const c = isLast && padding === 2 ? 0 : sextet(text, i + 2);
    const d = isLast && padding > 0 ? 0 : sextet(text, i + 3);
    if ((a | b | c | d) > 63) return -1;
    const bits = a << 18 | b << 12 | c << 6 | d;
    decoded[at++] = bits >> 16;
    decoded[at++] = bits >> 8;
    decoded[at++] = bits;
    // An encoder leaves the bits behind the last byte zero.
    if (isLast && padding > 0 && (bits & (padding === 2 ? 0xffff : 0xff)) !== 0) return -1;
  }
  return at - padding;
}

function sextet(text: string, i: number): number {
  const code = text.charCodeAt(i);
  return code < 128 ? SEXTETS[code] as number : 64;
}
