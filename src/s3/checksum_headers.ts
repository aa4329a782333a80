/**
 * The names and headers of additional checksums: `x-amz-checksum-*`, `x-amz-trailer` and the XML elements.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 * @module
 */

import {
  type Checksum,
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  type ChecksumType,
  checksumTypes,
  isChecksumValue,
  type StatedChecksum,
} from "./checksum_algorithms.ts";
import { S3Error } from "./errors.ts";
import type { RequestHeaders } from "./request_headers.ts";

/** Names that begin with `x-amz-checksum-` and carry no checksum. */
const NOT_VALUES = ["x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"];

/** Returns the header of an algorithm: `x-amz-checksum-crc32`. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** Returns the XML element of an algorithm: `ChecksumCRC32`. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

/** Returns the response headers of a checksum; none if there is no checksum. */
export function formatChecksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  const { algorithm, value, type } = checksum;
  return { [checksumHeader(algorithm)]: value, "x-amz-checksum-type": type };
}

/**
 * Parses the name of an algorithm, in upper or lower case.
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

/**
 * Parses the checksum in the `x-amz-checksum-*` headers.
 *
 * @throws S3Error `InvalidRequest` for more than one checksum, an unknown algorithm or a malformed value
 */
export function parseChecksumHeader(headers: RequestHeaders): StatedChecksum | undefined {
  const names = [...headers.keys()].filter((name) =>
    name.startsWith("x-amz-checksum-") && !NOT_VALUES.includes(name)
  );
  const [name] = names;
  if (name === undefined) return undefined;
  refuseSeveral(names);
  const algorithm = parseChecksumAlgorithm(name.slice("x-amz-checksum-".length));
  const value = headers.get(name) ?? "";
  if (!isChecksumValue(algorithm, value)) {
    throw new S3Error("InvalidRequest", {}, { message: `Value for ${name} header is invalid.` });
  }
  return { algorithm, value };
}

/**
 * Parses the checksum that `x-amz-trailer` announces. Its value follows the body.
 *
 * @throws S3Error `InvalidRequest` for more than one checksum, or an unknown algorithm
 */
export function parseChecksumTrailer(
  headers: RequestHeaders,
): { algorithm: ChecksumAlgorithm; value: undefined } | undefined {
  const names = (headers.get("x-amz-trailer") ?? "").toLowerCase().split(",")
    .map((name) => name.trim()).filter((name) => name.startsWith("x-amz-checksum-"));
  const [name] = names;
  if (name === undefined) return undefined;
  refuseSeveral(names);
  return {
    algorithm: parseChecksumAlgorithm(name.slice("x-amz-checksum-".length)),
    value: undefined,
  };
}

function refuseSeveral(names: readonly string[]): void {
  if (names.length > 1) throw severalChecksums();
}

/** Returns the error for more than one checksum of one body. */
export function severalChecksums(): S3Error {
  return new S3Error("InvalidRequest", {}, {
    message: "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
  });
}

/**
 * Parses the checksum that a multipart upload requires: its algorithm, and its type or the algorithm's default type.
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
  const types = checksumTypes(algorithm);
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
