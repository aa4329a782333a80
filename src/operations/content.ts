/**
 * From the body of a request to bytes to store, for PutObject and UploadPart.
 * @module
 */

import { type Integrity, verifyReceived } from "../s3/checksum.ts";
import { S3Error } from "../s3/errors.ts";
import { MAX_PART_SIZE } from "../s3/multipart.ts";
import type { Payload } from "../s3/payload.ts";
import type { ContentInput } from "../store/store.ts";

/**
 * What a store needs to take a body.
 *
 * @throws S3Error `EntityTooLarge`; a body of unknown length throws it while it is read
 */
export function contentOf(payload: Payload, integrity: Integrity): ContentInput {
  const { stream, size } = payload;
  if (size !== undefined && size > MAX_PART_SIZE) throw tooLarge(size);
  return {
    stream: size === undefined ? stream.pipeThrough(limitTo(MAX_PART_SIZE)) : stream,
    size,
    algorithm: integrity.checksum?.algorithm,
    verify: (received) => verifyReceived(integrity, payload, received),
  };
}

function limitTo(max: number): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(chunk, controller): void {
      size += chunk.length;
      if (size > max) controller.error(tooLarge(size));
      else controller.enqueue(chunk);
    },
  });
}

function tooLarge(size: number): S3Error {
  return new S3Error("EntityTooLarge", { ProposedSize: size, MaxSizeAllowed: MAX_PART_SIZE });
}
