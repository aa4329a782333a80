/**
 * The body of a request, without its signature and framing.
 * @module
 */

import type { ByteSource } from "../streams/byte_source.ts";

/** A body with the client's promises about it. The reader of the body checks them. */
export type Payload = {
  /**
   * The decoded bytes. A read throws an S3Error if the body is cut short, is framed wrongly or carries a wrong
   * signature. So a reader that reaches the end has exactly the bytes that the client signed, except that it must check
   * `sha256` itself. One owner reads the source to its end or cancels it.
   */
  readonly source: ByteSource;
  /** Decoded length in bytes; undefined for `Transfer-Encoding: chunked` without `x-amz-decoded-content-length`. */
  readonly size: number | undefined;
  /**
   * The SHA-256 that `x-amz-content-sha256` promised, in lower-case hex. The source does not check it, because a store
   * computes a SHA-256 anyway and one is enough. The reader compares it (`XAmzContentSHA256Mismatch`).
   */
  readonly sha256: string | undefined;
  /** Trailing headers by lower-case name. They are complete after the body was read to its end. */
  readonly trailers: ReadonlyMap<string, string>;
  /** For whom the bytes count: an access key; a presigned URL's access key and an address. */
  readonly sender?: string | undefined;
};
