/**
 * The body of a request, after its signature and framing were taken off.
 * @module
 */

import type { ByteSource } from "../streams/byte_source.ts";

/** What the client promised about the body and what comes after it; whoever reads the body checks it. */
export type Payload = {
  /**
   * The decoded bytes. Reading throws an S3Error when the body is cut short, is framed wrongly or bears a wrong
   * signature, so a reader that reaches the end has exactly what the client signed, but for `sha256`.
   * One owner reads them to the end or cancels them.
   */
  readonly source: ByteSource;
  /** Decoded length in bytes; undefined for `Transfer-Encoding: chunked` without `x-amz-decoded-content-length`. */
  readonly size: number | undefined;
  /**
   * Lower-case hex SHA-256 that `x-amz-content-sha256` promised. It is not checked while it is read, so that a store
   * that computes SHA-256 anyway does so once: who reads the body compares it (`XAmzContentSHA256Mismatch`).
   */
  readonly sha256: string | undefined;
  /** Trailing headers by lower-case name, complete once the body was read to its end. */
  readonly trailers: ReadonlyMap<string, string>;
};
