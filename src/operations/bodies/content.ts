/**
 * Turns the body of a request into content to store, for PutObject and UploadPart.
 * @module
 */

import type { ChecksumAlgorithm } from "../../s3/checksum_algorithms.ts";
import { S3Error } from "../../s3/errors.ts";
import { type Integrity, verifyReceived } from "../../s3/integrity.ts";
import { MAX_PART_SIZE } from "../../s3/multipart.ts";
import type { Payload } from "../../s3/payload.ts";
import type { ContentInput } from "../../store/content.ts";
import type { ByteSource } from "../../streams/byte_source.ts";

/**
 * Returns the content of a payload, as a store accepts it.
 *
 * @param fallback The checksum to compute if the client names none.
 * @throws S3Error `EntityTooLarge`; a body of unknown length throws it while it is read
 */
export function contentOf(
  payload: Payload,
  integrity: Integrity,
  fallback?: ChecksumAlgorithm,
): ContentInput {
  const { source, size } = payload;
  if (size !== undefined && size > MAX_PART_SIZE) throw tooLarge(size);
  return {
    stream: size === undefined ? limited(source, MAX_PART_SIZE) : source,
    size,
    algorithm: integrity.checksum?.algorithm ?? fallback,
    verify: (received) => verifyReceived(integrity, payload, received),
  };
}

function limited(source: ByteSource, max: number): ByteSource {
  let size = 0;
  return {
    async read() {
      const piece = await source.read();
      size += piece?.length ?? 0;
      if (size <= max) return piece;
      const error = tooLarge(size);
      await source.cancel(error);
      throw error;
    },
    cancel: (reason) => source.cancel(reason),
  };
}

function tooLarge(size: number): S3Error {
  return new S3Error("EntityTooLarge", { ProposedSize: size, MaxSizeAllowed: MAX_PART_SIZE });
}
