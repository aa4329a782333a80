/**
 * The additional checksums of objects, such as CRC32 and SHA-256: facts, computation, and the checksum of an object made of
 * parts.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 * @module
 */

import {
  createCRC32,
  createCRC64,
  createXXHash128,
  createXXHash3,
  createXXHash64,
  type IHasher,
} from "hash-wasm";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { type Crc, CRC32, CRC32C, CRC64NVME, joinCrcs } from "./crc.ts";

/** The algorithms, spelled as in `x-amz-checksum-algorithm`. */
export const CHECKSUM_ALGORITHMS = [
  "CRC32",
  "CRC32C",
  "CRC64NVME",
  "SHA1",
  "SHA256",
  "SHA512",
  "MD5",
  "XXHASH64",
  "XXHASH3",
  "XXHASH128",
] as const;
/** One of {@linkcode CHECKSUM_ALGORITHMS}. */
export type ChecksumAlgorithm = typeof CHECKSUM_ALGORITHMS[number];
/** The inputs of a checksum: all bytes, or the parts' checksums. A composite value ends with `-<parts>`. */
export const CHECKSUM_TYPES = ["FULL_OBJECT", "COMPOSITE"] as const;
/** One of {@linkcode CHECKSUM_TYPES}. */
export type ChecksumType = typeof CHECKSUM_TYPES[number];

/** The checksum of an object or a part. */
export type Checksum = {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64; a composite value ends with `-<parts>`. */
  readonly value: string;
  readonly type: ChecksumType;
};

/** A checksum that a client states: base64. A composite value may end with `-<parts>`. */
export type StatedChecksum = { readonly algorithm: ChecksumAlgorithm; readonly value: string };

/** The length of each algorithm's checksums, and their types with the default first. */
const ALGORITHMS: Record<
  ChecksumAlgorithm,
  { readonly bytes: number; readonly crc?: Crc; readonly types: readonly ChecksumType[] }
> = {
  CRC32: { bytes: 4, crc: CRC32, types: ["COMPOSITE", "FULL_OBJECT"] },
  CRC32C: { bytes: 4, crc: CRC32C, types: ["COMPOSITE", "FULL_OBJECT"] },
  CRC64NVME: { bytes: 8, crc: CRC64NVME, types: ["FULL_OBJECT"] },
  SHA1: { bytes: 20, types: ["COMPOSITE"] },
  SHA256: { bytes: 32, types: ["COMPOSITE"] },
  SHA512: { bytes: 64, types: ["COMPOSITE"] },
  MD5: { bytes: 16, types: ["COMPOSITE"] },
  XXHASH64: { bytes: 8, types: ["COMPOSITE"] },
  XXHASH3: { bytes: 8, types: ["COMPOSITE"] },
  XXHASH128: { bytes: 16, types: ["COMPOSITE"] },
};

/** The lengths of checksums in bytes. */
export const CHECKSUM_LENGTHS: readonly number[] = Object.values(ALGORITHMS).map(({ bytes }) =>
  bytes
);

/** Returns the checksum types that a multipart object may have with this algorithm, the default first. */
export function checksumTypes(algorithm: ChecksumAlgorithm): readonly ChecksumType[] {
  return ALGORITHMS[algorithm].types;
}

/** Returns whether a text is base64 of the algorithm's length. It may end with `-<parts>`. */
export function isChecksumValue(algorithm: ChecksumAlgorithm, value: string): boolean {
  const base64 = value.replace(/-\d{1,5}$/, "");
  const bytes = Buffer.from(base64, "base64");
  return bytes.length === ALGORITHMS[algorithm].bytes && bytes.toString("base64") === base64;
}

/** Computes one checksum as bytes pass. */
export interface ChecksumHasher {
  update(bytes: Uint8Array): void;
  /** Returns base64 and ends the hasher, which must not be used again. */
  digest(): string;
}

/**
 * Begins a checksum. Each stream needs its own.
 *
 * @example Usage
 * ```ts
 * import { createChecksumHasher } from "./checksum_algorithms.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const hasher = await createChecksumHasher("CRC32C");
 * hasher.update(new TextEncoder().encode("123456789"));
 * strictEqual(hasher.digest(), "4waSgw==");
 * ```
 */
export async function createChecksumHasher(algorithm: ChecksumAlgorithm): Promise<ChecksumHasher> {
  switch (algorithm) {
    case "CRC32":
      return createCrc32Hasher();
    case "CRC32C":
      return await borrowHasher(crc32c);
    case "CRC64NVME":
      return await borrowHasher(crc64nvme);
    case "XXHASH64":
      return await borrowHasher(xxhash64);
    case "XXHASH3":
      return await borrowHasher(xxhash3);
    case "XXHASH128":
      return await borrowHasher(xxhash128);
    case "MD5":
    case "SHA1":
    case "SHA256":
    case "SHA512": {
      const hash = createHash(algorithm);
      return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest("base64") };
    }
  }
}

function createCrc32Hasher(): ChecksumHasher {
  let crc = 0;
  return {
    update: (bytes) => crc = crc32(bytes, crc),
    digest: () => formatCrc(BigInt(crc), 4),
  };
}

/** Idle hashers. Each is a WebAssembly instance, which is too expensive to make for every small object. */
type Pool = { readonly create: () => Promise<IHasher>; readonly free: IHasher[] };
const crc32c: Pool = { create: () => createCRC32(0x82f63b78), free: [] };
const crc64nvme: Pool = { create: () => createCRC64("9a6c9329ac4bc9b5"), free: [] };
const xxhash64: Pool = { create: () => createXXHash64(), free: [] };
const xxhash3: Pool = { create: () => createXXHash3(), free: [] };
const xxhash128: Pool = { create: () => createXXHash128(), free: [] };
const MAX_FREE = 32;

async function borrowHasher({ create, free }: Pool): Promise<ChecksumHasher> {
  const hasher = free.pop() ?? await create();
  hasher.init();
  return {
    update: (bytes) => void hasher.update(bytes),
    digest(): string {
      const digest = Buffer.from(hasher.digest("binary")).toString("base64");
      // A hasher whose digest is never requested is garbage-collected with its stream.
      if (free.length < MAX_FREE) free.push(hasher);
      return digest;
    },
  };
}

function formatCrc(crc: bigint, bytes: number): string {
  return Buffer.from(crc.toString(16).padStart(bytes * 2, "0"), "hex").toString("base64");
}

/**
 * Returns the checksum of an object made of parts, from the checksums (base64) and sizes (bytes) of its parts in order.
 *
 * @example Usage
 * ```ts
 * import { combineChecksums } from "./checksum_algorithms.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const parts = [{ checksum: "y/Q5Jg==", size: 9 }];
 * deepStrictEqual(await combineChecksums("CRC32", "FULL_OBJECT", parts), {
 *   algorithm: "CRC32",
 *   value: "y/Q5Jg==",
 *   type: "FULL_OBJECT",
 * });
 * ```
 */
export async function combineChecksums(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly { readonly checksum: string; readonly size: number }[],
): Promise<Checksum> {
  if (type === "COMPOSITE") {
    const hasher = await createChecksumHasher(algorithm);
    for (const { checksum } of parts) hasher.update(Buffer.from(checksum, "base64"));
    return { algorithm, type, value: `${hasher.digest()}-${parts.length}` };
  }
  const { crc, bytes } = ALGORITHMS[algorithm];
  if (crc === undefined) throw new TypeError(`Cannot combine ${algorithm} checksums of parts`);
  const pieces = parts.map(({ checksum, size }) => ({
    crc: BigInt(`0x${Buffer.from(checksum, "base64").toString("hex")}`),
    size,
  }));
  return { algorithm, type, value: formatCrc(joinCrcs(crc, pieces), bytes) };
}
