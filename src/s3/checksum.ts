/**
 * Integrity of what was received: Content-MD5, `x-amz-content-sha256` and the additional checksums CRC32, CRC32C,
 * CRC64NVME, SHA-1 and SHA-256.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 *
 * AWS computes a CRC64NVME where a client names no algorithm; here such an object has no additional checksum.
 * @module
 */

import { createCRC32, createCRC64, type IHasher } from "hash-wasm";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { type Crc, CRC32, CRC32C, CRC64NVME, joinCrcs } from "./crc.ts";
import { S3Error } from "./errors.ts";
import type { RequestHeaders } from "./request_headers.ts";

/** The algorithms, as `x-amz-checksum-algorithm` spells them. */
export const CHECKSUM_ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;
/** One of {@linkcode CHECKSUM_ALGORITHMS}. */
export type ChecksumAlgorithm = typeof CHECKSUM_ALGORITHMS[number];
/** Over all bytes, or over the parts' checksums (then the value ends with `-<parts>`). */
export type ChecksumType = "FULL_OBJECT" | "COMPOSITE";

/** The checksum of an object or a part. */
export type Checksum = {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64; of a composite one with `-<parts>` after it. */
  readonly value: string;
  readonly type: ChecksumType;
};

/** A checksum that a client states: base64, of a composite one perhaps with `-<parts>` after it. */
export type StatedChecksum = { readonly algorithm: ChecksumAlgorithm; readonly value: string };

/** What is known of each algorithm. */
const ALGORITHMS: Record<
  ChecksumAlgorithm,
  { readonly bytes: number; readonly crc?: Crc; readonly types: readonly ChecksumType[] }
> = {
  CRC32: { bytes: 4, crc: CRC32, types: ["COMPOSITE", "FULL_OBJECT"] },
  CRC32C: { bytes: 4, crc: CRC32C, types: ["COMPOSITE", "FULL_OBJECT"] },
  CRC64NVME: { bytes: 8, crc: CRC64NVME, types: ["FULL_OBJECT"] },
  SHA1: { bytes: 20, types: ["COMPOSITE"] },
  SHA256: { bytes: 32, types: ["COMPOSITE"] },
};

/** Computes one checksum as bytes pass. */
export interface ChecksumHasher {
  update(bytes: Uint8Array): void;
  /** Base64. Ends the hasher: it must not be used again. */
  digest(): string;
}

/**
 * Begins a checksum. Each stream needs its own.
 *
 * @example Usage
 * ```ts
 * import { createChecksumHasher } from "./checksum.ts";
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
    case "SHA1":
    case "SHA256": {
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

/** Hashers at rest: each is a WebAssembly instance, which is dear to make for a small object. */
type Pool = { readonly create: () => Promise<IHasher>; readonly free: IHasher[] };
const crc32c: Pool = { create: () => createCRC32(0x82f63b78), free: [] };
const crc64nvme: Pool = { create: () => createCRC64("9a6c9329ac4bc9b5"), free: [] };
const MAX_FREE = 32;

async function borrowHasher({ create, free }: Pool): Promise<ChecksumHasher> {
  const hasher = free.pop() ?? await create();
  hasher.init();
  return {
    update: (bytes) => void hasher.update(bytes),
    digest(): string {
      const digest = Buffer.from(hasher.digest("binary")).toString("base64");
      // One that is never asked for its digest is collected with its stream.
      if (free.length < MAX_FREE) free.push(hasher);
      return digest;
    },
  };
}

function formatCrc(crc: bigint, bytes: number): string {
  return Buffer.from(crc.toString(16).padStart(bytes * 2, "0"), "hex").toString("base64");
}

/**
 * Checksum of an object made of parts, from the parts' checksums (base64) and sizes (bytes) in order.
 *
 * @example Usage
 * ```ts
 * import { combineChecksums } from "./checksum.ts";
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

/** The header of an algorithm: `x-amz-checksum-crc32`. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** The XML element of an algorithm: `ChecksumCRC32`. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

/** Response headers of a checksum; empty for none. */
export function formatChecksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  const { algorithm, value, type } = checksum;
  return { [checksumHeader(algorithm)]: value, "x-amz-checksum-type": type };
}

/**
 * An algorithm that a client names.
 *
 * @throws S3Error `InvalidRequest`
 */
export function parseChecksumAlgorithm(text: string): ChecksumAlgorithm {
  const name = text.toUpperCase();
  const algorithm = CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === name);
  if (algorithm !== undefined) return algorithm;
  throw new S3Error("InvalidRequest", {}, {
    message:
      `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${
        CHECKSUM_ALGORITHMS.join(", ")
      }]`,
  });
}

/** Other names that begin with `x-amz-checksum-`. */
const NOT_VALUES = ["x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"];

/**
 * The checksum in `x-amz-checksum-*` headers.
 *
 * @throws S3Error `InvalidRequest` for more than one, an unknown algorithm, or a value of wrong shape
 */
export function parseChecksumHeader(headers: RequestHeaders): StatedChecksum | undefined {
  const names = [...headers.keys()].filter((name) =>
    name.startsWith("x-amz-checksum-") && !NOT_VALUES.includes(name)
  );
  const [name] = names;
  if (name === undefined) return undefined;
  if (names.length > 1) {
    throw new S3Error("InvalidRequest", {}, {
      message:
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    });
  }
  const algorithm = parseChecksumAlgorithm(name.slice("x-amz-checksum-".length));
  const value = headers.get(name) ?? "";
  if (!isChecksumValue(algorithm, value)) {
    throw new S3Error("InvalidRequest", {}, { message: `Value for ${name} header is invalid.` });
  }
  return { algorithm, value };
}

/** Whether this is base64 of the right length, perhaps with `-<parts>` after it. */
export function isChecksumValue(algorithm: ChecksumAlgorithm, value: string): boolean {
  const base64 = value.replace(/-\d{1,5}$/, "");
  const bytes = Buffer.from(base64, "base64");
  return bytes.length === ALGORITHMS[algorithm].bytes && bytes.toString("base64") === base64;
}

/** What a client promised about a body, beyond its SHA-256. */
export type Integrity = {
  /** Lower-case hex, of Content-MD5. */
  readonly md5: string | undefined;
  /** The checksum to compute; without a value it is stated in a trailer. */
  readonly checksum:
    | { readonly algorithm: ChecksumAlgorithm; readonly value: string | undefined }
    | undefined;
};

/**
 * What the headers of an upload promise about its body.
 *
 * @throws S3Error `InvalidDigest`, `InvalidRequest`; `BadDigest` for a checksum that is not of the algorithm named
 */
export function parseIntegrity(headers: RequestHeaders): Integrity {
  const stated = parseChecksumHeader(headers) ?? parseChecksumTrailer(headers);
  const named = headers.get("x-amz-sdk-checksum-algorithm");
  if (named !== null) {
    const algorithm = parseChecksumAlgorithm(named);
    if (stated === undefined) {
      throw new S3Error("InvalidRequest", {}, {
        message:
          "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
      });
    }
    if (stated.algorithm !== algorithm) {
      throw checksumMismatch(algorithm); // as AWS documents it for PutObject
    }
  }
  return { md5: parseContentMD5(headers.get("content-md5")), checksum: stated };
}

/** The checksum that `x-amz-trailer` announces. */
function parseChecksumTrailer(
  headers: RequestHeaders,
): { algorithm: ChecksumAlgorithm; value: undefined } | undefined {
  const names = (headers.get("x-amz-trailer") ?? "").toLowerCase().split(",")
    .map((name) => name.trim()).filter((name) => name.startsWith("x-amz-checksum-"));
  const [name] = names;
  if (name === undefined) return undefined;
  if (names.length > 1) {
    throw new S3Error("InvalidRequest", {}, {
      message:
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    });
  }
  return {
    algorithm: parseChecksumAlgorithm(name.slice("x-amz-checksum-".length)),
    value: undefined,
  };
}

/**
 * The MD5 of a `Content-MD5` header, as lower-case hex.
 *
 * @throws S3Error `InvalidDigest`
 */
export function parseContentMD5(text: string | null): string | undefined {
  if (text === null) return undefined;
  const base64 = text.trim();
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length !== 16 || bytes.toString("base64") !== base64) {
    throw new S3Error("InvalidDigest", { "Content-MD5": text }, {
      message: "The Content-MD5 you specified was invalid.",
    });
  }
  return bytes.toString("hex");
}

/**
 * Compares what was received with what was promised. Call it when the body has ended: only then are its trailers
 * there.
 *
 * @throws S3Error `BadDigest`, `XAmzContentSHA256Mismatch`, `MalformedTrailerError`, `InvalidRequest`
 *
 * @example Usage
 * ```ts
 * import { verifyReceived } from "./checksum.ts";
 * import { throws } from "node:assert/strict";
 *
 * const promised = { md5: undefined, checksum: { algorithm: "CRC32", value: "AAAAAA==" } } as const;
 * const payload = { sha256: undefined, trailers: new Map() };
 * const received = { md5: "…", sha256: "…", checksum: "y/Q5Jg==" };
 * throws(() => verifyReceived(promised, payload, received), { code: "BadDigest" });
 * ```
 */
export function verifyReceived(
  { md5, checksum }: Integrity,
  payload: { readonly sha256: string | undefined; readonly trailers: ReadonlyMap<string, string> },
  received: {
    readonly md5: string;
    readonly sha256: string;
    readonly checksum: string | undefined;
  },
): void {
  if (md5 !== undefined && md5 !== received.md5) {
    throw new S3Error("BadDigest", {
      ExpectedDigest: Buffer.from(md5, "hex").toString("base64"),
      CalculatedDigest: Buffer.from(received.md5, "hex").toString("base64"),
    }, { message: "The Content-MD5 you specified did not match what we received." });
  }
  if (payload.sha256 !== undefined && payload.sha256 !== received.sha256) {
    throw new S3Error("XAmzContentSHA256Mismatch", {
      ClientComputedContentSHA256: payload.sha256,
      S3ComputedContentSHA256: received.sha256,
    });
  }
  if (checksum === undefined) return;
  const value = checksum.value ?? trailingChecksum(checksum.algorithm, payload.trailers);
  if (value !== received.checksum) throw checksumMismatch(checksum.algorithm);
}

function trailingChecksum(
  algorithm: ChecksumAlgorithm,
  trailers: ReadonlyMap<string, string>,
): string {
  const name = checksumHeader(algorithm);
  const value = trailers.get(name);
  if (value === undefined) throw new S3Error("MalformedTrailerError");
  if (!isChecksumValue(algorithm, value)) {
    throw new S3Error("InvalidRequest", {}, {
      message: `Value for ${name} trailing header is invalid.`,
    });
  }
  return value;
}

/** The error for a checksum that is not the one computed. */
export function checksumMismatch(algorithm: ChecksumAlgorithm): S3Error {
  return new S3Error("BadDigest", {}, {
    message: `The ${algorithm} you specified did not match the calculated checksum.`,
  });
}

/**
 * The checksum that a multipart upload is to have: its algorithm, and its type or the algorithm's default.
 *
 * @throws S3Error `InvalidRequest`
 */
export function parseUploadChecksum(
  headers: RequestHeaders,
): { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType } | undefined {
  const named = headers.get("x-amz-checksum-algorithm");
  const type = headers.get("x-amz-checksum-type");
  if (named === null) {
    if (type === null) return undefined;
    throw new S3Error("InvalidRequest", {}, {
      message:
        "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
    });
  }
  const algorithm = parseChecksumAlgorithm(named);
  const { types } = ALGORITHMS[algorithm];
  const [defaultType = "FULL_OBJECT"] = types;
  if (type === null) return { algorithm, type: defaultType };
  const known = types.find((known) => known === type.toUpperCase());
  if (known !== undefined) return { algorithm, type: known };
  if (!/^(?:full_object|composite)$/i.test(type)) {
    throw new S3Error("InvalidRequest", {}, {
      message: "Value for x-amz-checksum-type header is invalid.",
    });
  }
  throw new S3Error("InvalidRequest", {}, {
    message:
      `The ${type.toUpperCase()} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
  });
}
