/**
 * Arithmetic on CRCs: the CRC of two joined texts, computed from the CRC of each and the length of the second.
 *
 * It works for reflected CRCs with all ones as initial value and final complement, such as CRC-32, CRC-32C and
 * CRC-64/NVME. The method is that of zlib's `crc32_combine`: shift the first CRC by the second's length, modulo the
 * polynomial.
 * @module
 */

/** The reflected polynomial of a CRC and its width in bits. */
export type Crc = { readonly polynomial: bigint; readonly bits: bigint };

/** CRC-32 (ISO-HDLC). */
export const CRC32: Crc = { polynomial: 0xedb88320n, bits: 32n };
/** CRC-32C (Castagnoli). */
export const CRC32C: Crc = { polynomial: 0x82f63b78n, bits: 32n };
/** CRC-64/NVME. */
export const CRC64NVME: Crc = { polynomial: 0x9a6c9329ac4bc9b5n, bits: 64n };

/**
 * Returns the CRC of consecutive pieces. Sizes are in bytes.
 *
 * @example Usage
 * ```ts
 * import { CRC32, joinCrcs } from "./crc.ts";
 * import { strictEqual } from "node:assert/strict";
 * import { crc32 } from "node:zlib";
 *
 * const pieces = ["hello ", "world"].map((text) => ({ crc: BigInt(crc32(text)), size: text.length }));
 * strictEqual(joinCrcs(CRC32, pieces), BigInt(crc32("hello world")));
 * ```
 */
export function joinCrcs(
  crc: Crc,
  pieces: Iterable<{ readonly crc: bigint; readonly size: number }>,
): bigint {
  // Nearly all parts have the same size, so its shift is computed only once.
  const shifts = new Map<number, bigint>();
  let joined = 0n;
  for (const piece of pieces) {
    let shift = shifts.get(piece.size);
    if (shift === undefined) shifts.set(piece.size, shift = shiftOf(crc, piece.size));
    joined = multiply(crc, shift, joined) ^ piece.crc;
  }
  return joined;
}

/** Returns x^(8·size) modulo the polynomial. */
function shiftOf(crc: Crc, size: number): bigint {
  const one = 1n << (crc.bits - 1n);
  let power = one >> 1n; // x
  let product = one;
  for (let bits = BigInt(size) * 8n; bits > 0n; bits >>= 1n) {
    if (bits & 1n) product = multiply(crc, power, product);
    power = multiply(crc, power, power);
  }
  return product;
}

/** Returns a·b modulo the polynomial, with reflected coefficients. */
function multiply({ polynomial, bits }: Crc, a: bigint, b: bigint): bigint {
  let product = 0n;
  for (let bit = 1n << (bits - 1n); bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= b;
    b = b & 1n ? (b >> 1n) ^ polynomial : b >> 1n;
  }
  return product;
}
