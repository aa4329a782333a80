/**
 * The bytes of an object or a part on their way into memory.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createChecksumHasher } from "../../s3/checksum_algorithms.ts";
import { S3Error } from "../../s3/errors.ts";
import { sourceOf, whileReading } from "../../streams/byte_source.ts";
import type { ContentInput, Received } from "../content.ts";

/**
 * Runs a check before a body is read, so that a write that cannot succeed reads nothing. If the check throws, it cancels
 * the body.
 */
export async function checkFirst({ stream }: ContentInput, check: () => void): Promise<void> {
  try {
    check();
  } catch (cause) {
    await stream.cancel(cause).catch(() => {});
    throw cause;
  }
}

/**
 * Reads a body to its end and verifies it.
 *
 * @throws S3Error `IncompleteBody` for a body of another size than stated
 */
export async function receive(
  { stream, size, algorithm, verify }: ContentInput,
  signal: AbortSignal | undefined,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; received: Received }> {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  const checksum = algorithm === undefined ? undefined : await createChecksumHasher(algorithm);
  const pieces: Uint8Array[] = [];
  let total = 0;
  const source = sourceOf(stream);
  await whileReading(source, signal, async () => {
    for (let piece = await source.read(); piece !== undefined; piece = await source.read()) {
      total += piece.length;
      if (size !== undefined && total > size) throw new S3Error("IncompleteBody");
      md5.update(piece);
      sha256.update(piece);
      checksum?.update(piece);
      pieces.push(piece);
    }
  });
  if (size !== undefined && total < size) throw new S3Error("IncompleteBody");

  const received = {
    size: total,
    md5: md5.digest("hex"),
    sha256: sha256.digest("hex"),
    checksum: checksum?.digest(),
  };
  verify(received);
  return { bytes: concat(pieces), received };
}

/** Returns the pieces in one array of its own. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(pieces));
}
