/**
 * The assembly of an object from parts: the choice among the uploaded parts, and the object's size, ETag and checksum.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 *
 * An upload whose client named no checksum algorithm accepts parts with any checksum, which AWS refuses. The gateway
 * verifies these checksums and does not keep them. If a client repeats them when it completes the upload, the gateway
 * ignores them. Its object has the default checksum unless such a part is in it.
 * @module
 */

import {
  type Checksum,
  type ChecksumAlgorithm,
  type ChecksumType,
  combineChecksums,
  isChecksumValue,
  type StatedChecksum,
} from "./checksum_algorithms.ts";
import { S3Error } from "./errors.ts";
import { multipartETag } from "./etag.ts";
import { checksumMismatch } from "./integrity.ts";

/** Minimum size of every part except the last, in bytes. */
export const MIN_PART_SIZE = 5 * 1024 * 1024;
/** Maximum size of a part, and of an object that is put or copied in one piece, in bytes. */
export const MAX_PART_SIZE = 5 * 1024 * 1024 * 1024;

/** The properties of an uploaded part that matter for completion. */
type UploadedPart = {
  readonly number: number;
  readonly size: number;
  /** MD5, lower-case hex. */
  readonly etag: string;
  /** Base64, of the upload's algorithm. */
  readonly checksum: string | undefined;
};

/** The statements of a client that completes an upload. */
type Completion = {
  readonly parts: readonly {
    readonly number: number;
    readonly etag: string;
    readonly checksum: StatedChecksum | undefined;
  }[];
  readonly checksum: StatedChecksum | undefined;
  readonly size: number | undefined;
};

/** The checksum settings with which an upload was created. */
type Upload = {
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
  /** The client named no algorithm: it may state others for its parts, and need not state any. */
  readonly checksumIsDefault?: boolean | undefined;
};

/** An object assembled from parts. */
export type Assembly<Part> = {
  /** In order. */
  readonly parts: readonly Part[];
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  readonly checksum: Checksum | undefined;
};

/**
 * Checks a list of parts against the uploaded parts and assembles the object. Stores call it at Complete.
 *
 * @param uploaded The uploaded parts by number.
 * @param minPartSize Bytes; on AWS, {@linkcode MIN_PART_SIZE}.
 * @throws S3Error `InvalidPart`, `EntityTooSmall`, `InvalidRequest`, `BadDigest`
 *
 * @example Usage
 * ```ts
 * import { assembleParts } from "./multipart.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const etag = "d41d8cd98f00b204e9800998ecf8427e";
 * const assembly = await assembleParts(
 *   { algorithm: undefined, checksumType: undefined },
 *   new Map([[1, { number: 1, size: 0, etag, checksum: undefined }]]),
 *   { parts: [{ number: 1, etag, checksum: undefined }], checksum: undefined, size: undefined },
 *   5,
 * );
 * strictEqual(assembly.etag, "59adb24ef3cdbe0297f05b395827453f-1");
 * ```
 */
export async function assembleParts<Part extends UploadedPart>(
  upload: Upload,
  uploaded: ReadonlyMap<number, Part>,
  completion: Completion,
  minPartSize: number,
): Promise<Assembly<Part>> {
  const parts = completion.parts.map((named) => chosenPart(upload, uploaded, named));
  for (const { number, size, etag } of parts.slice(0, -1)) {
    if (size < minPartSize) {
      throw new S3Error("EntityTooSmall", {
        ProposedSize: size,
        MinSizeAllowed: minPartSize,
        PartNumber: number,
        ETag: etag,
      });
    }
  }

  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (completion.size !== undefined && completion.size !== size) {
    throw new S3Error("InvalidRequest", {}, {
      message:
        `The provided 'x-amz-mp-object-size' header value ${completion.size} does not match what was computed: ${size}`,
    });
  }
  const etag = multipartETag(parts.map(({ etag }) => etag));
  const checksum = await checksumOfParts(upload, parts);
  checkStated(completion.checksum, checksum);
  return { parts, size, etag, checksum };
}

function chosenPart<Part extends UploadedPart>(
  { algorithm, checksumType, checksumIsDefault = false }: Upload,
  uploaded: ReadonlyMap<number, Part>,
  { number, etag, checksum }: Completion["parts"][number],
): Part {
  const part = uploaded.get(number);
  if (part === undefined || part.etag !== etag) {
    throw new S3Error("InvalidPart", { PartNumber: number, ETag: etag });
  }
  if (algorithm === undefined) return part;
  if (checksum === undefined) {
    if (checksumType === "COMPOSITE") {
      throw new S3Error("InvalidRequest", {}, {
        message:
          `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
      });
    }
  } else if (checksum.algorithm !== algorithm) {
    if (!checksumIsDefault) throw new S3Error("InvalidPart", { PartNumber: number, ETag: etag });
  } else if (checksum.value !== part.checksum) {
    throw new S3Error("InvalidPart", { PartNumber: number, ETag: etag });
  }
  return part;
}

async function checksumOfParts(
  { algorithm, checksumType, checksumIsDefault = false }: Upload,
  parts: readonly UploadedPart[],
): Promise<Checksum | undefined> {
  if (algorithm === undefined || checksumType === undefined) return undefined;
  const known = parts.flatMap(({ checksum, size }) =>
    checksum === undefined || !isChecksumValue(algorithm, checksum) ? [] : [{ checksum, size }]
  );
  if (known.length < parts.length && checksumIsDefault) return undefined;
  if (known.length < parts.length) throw new TypeError("Cannot combine checksums: a part has none");
  return await combineChecksums(algorithm, checksumType, known);
}

function checkStated(stated: StatedChecksum | undefined, actual: Checksum | undefined): void {
  if (stated === undefined) return;
  if (stated.algorithm !== actual?.algorithm) {
    throw new S3Error("InvalidRequest", {}, {
      message: `Checksum Type mismatch occurred, expected checksum Type: ${
        actual?.algorithm.toLowerCase() ?? "null"
      }, actual checksum Type: ${stated.algorithm.toLowerCase()}`,
    });
  }
  // Clients state a composite checksum with or without the number of parts.
  if (stated.value !== actual.value && stated.value !== actual.value.replace(/-\d+$/, "")) {
    throw checksumMismatch(stated.algorithm);
  }
}

/**
 * Checks that a part carries the checksum that its upload requires. Stores call it at UploadPart.
 *
 * @throws S3Error `InvalidRequest`
 */
export function checkPartAlgorithm(
  { algorithm: required, checksumIsDefault = false }: Pick<
    Upload,
    "algorithm" | "checksumIsDefault"
  >,
  stated: ChecksumAlgorithm | undefined,
): void {
  if (required === undefined || checksumIsDefault || required === stated) return;
  throw new S3Error("InvalidRequest", {}, {
    message:
      `Checksum Type mismatch occurred, expected checksum Type: ${required.toLowerCase()}, actual checksum Type: ${
        stated?.toLowerCase() ?? "null"
      }`,
  });
}
