/**
 * The body of a request, after its signature and framing were taken off.
 * @module
 */

import { createHash } from "node:crypto";
import { S3Error } from "./errors.ts";

/** What the client promised about the body and what comes after it; whoever reads the body checks it. */
export type Payload = {
  /**
   * The decoded bytes. Errors with an S3Error when the body is cut short, is framed wrongly or bears a wrong
   * signature, so a reader that reaches the end has exactly what the client signed, but for `sha256`.
   * One owner reads it to the end or cancels it.
   */
  readonly stream: ReadableStream<Uint8Array>;
  /** Decoded length in bytes; undefined for `Transfer-Encoding: chunked` without `x-amz-decoded-content-length`. */
  readonly size: number | undefined;
  /**
   * Lower-case hex SHA-256 that `x-amz-content-sha256` promised. It is not checked by the stream, so that a store
   * that computes SHA-256 anyway does so once: who reads the stream compares it (`XAmzContentSHA256Mismatch`).
   */
  readonly sha256: string | undefined;
  /** Trailing headers by lower-case name, complete once the stream has ended. */
  readonly trailers: ReadonlyMap<string, string>;
};

/** A small document that was read whole. */
export type PayloadDocument = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Computes the base64 MD5, as `Content-MD5` has it. */
  readonly md5: () => string;
};

/**
 * Reads a small document whole, and checks the hash that was promised. Takes the stream: it is read to its end, or
 * cancelled.
 *
 * @param limit Most bytes.
 * @throws S3Error `MaxMessageLengthExceeded`, `XAmzContentSHA256Mismatch`, and what the stream errors with
 */
export async function readPayload(
  { stream, size, sha256 }: Payload,
  limit: number,
): Promise<PayloadDocument> {
  const tooLong = new S3Error("MaxMessageLengthExceeded", { MaxMessageLengthBytes: limit });
  if (size !== undefined && size > limit) {
    await stream.cancel(tooLong);
    throw tooLong;
  }
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) {
    length += piece.length;
    if (length > limit) throw tooLong; // which cancels the stream
    pieces.push(piece);
  }

  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  if (sha256 !== undefined) {
    const computed = createHash("sha256").update(bytes).digest("hex");
    if (computed !== sha256) {
      throw new S3Error("XAmzContentSHA256Mismatch", {
        ClientComputedContentSHA256: sha256,
        S3ComputedContentSHA256: computed,
      });
    }
  }
  return { bytes, md5: () => createHash("md5").update(bytes).digest("base64") };
}
