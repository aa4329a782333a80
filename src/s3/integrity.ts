/**
 * Integrity of a received body: Content-MD5, `x-amz-content-sha256` and the additional checksums.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 * @module
 */

import { Buffer } from "node:buffer";
import { type ChecksumAlgorithm, isChecksumValue } from "./checksum_algorithms.ts";
import {
  checksumHeader,
  parseChecksumAlgorithm,
  parseChecksumHeader,
  parseChecksumTrailer,
  severalChecksums,
} from "./checksum_headers.ts";
import { S3Error } from "./errors.ts";
import type { RequestHeaders } from "./request_headers.ts";

/** The hashes that a client promised for a body, except its SHA-256. */
export type Integrity = {
  /** Lower-case hex, of Content-MD5. */
  readonly md5: string | undefined;
  /** The checksum to compute. If it has no value, a trailer states it. */
  readonly checksum:
    | { readonly algorithm: ChecksumAlgorithm; readonly value: string | undefined }
    | undefined;
};

/**
 * Parses the promises that the headers of an upload make about its body.
 *
 * @throws S3Error `InvalidDigest`, `InvalidRequest`; `BadDigest` for a checksum of another algorithm than the named one
 */
export function parseIntegrity(headers: RequestHeaders): Integrity {
  const inHeader = parseChecksumHeader(headers);
  const inTrailer = parseChecksumTrailer(headers);
  const hasNoTrailer = headers.get("x-amz-content-sha256") === "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
  if (inHeader !== undefined && inTrailer !== undefined) {
    // The Java SDK 2 announces a trailer that it does not send.
    if (!hasNoTrailer || inHeader.algorithm !== inTrailer.algorithm) throw severalChecksums();
  }
  const stated = inHeader ?? inTrailer;
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

/**
 * Parses a `Content-MD5` header into lower-case hex.
 *
 * @throws S3Error `InvalidDigest`
 */
export function parseContentMD5(text: string | null): string | undefined {
  if (text === null) return undefined;
  const base64 = text.trim();
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length !== 16 || bytes.toString("base64") !== base64) {
    throw new S3Error("InvalidDigest", { "Content-MD5": text });
  }
  return bytes.toString("hex");
}

/**
 * Compares the received hashes with the promised ones. Call it after the body has ended, because its trailers arrive
 * last.
 *
 * @throws S3Error `BadDigest`, `XAmzContentSHA256Mismatch`, `MalformedTrailerError`, `InvalidRequest`
 *
 * @example Usage
 * ```ts
 * import { verifyReceived } from "./integrity.ts";
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
    });
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

/** Returns the error for a stated checksum that differs from the computed one. */
export function checksumMismatch(algorithm: ChecksumAlgorithm): S3Error {
  return new S3Error("BadDigest", {}, {
    message: `The ${algorithm} you specified did not match the calculated checksum.`,
  });
}
