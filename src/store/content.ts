/**
 * The bytes of an object or a part on their way into a store.
 * @module
 */

import type { ChecksumAlgorithm } from "../s3/checksum_algorithms.ts";
import type { ByteSource } from "../streams/byte_source.ts";

/** Size and hashes of a received body, computed while its bytes arrived. */
export type Received = {
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly md5: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Base64, of the requested algorithm; undefined if none was requested. */
  readonly checksum: string | undefined;
};

/** Bytes to store. */
export type ContentInput = {
  /**
   * The store reads it to its end, or cancels it when the write fails. The store owns the pieces and may free them.
   * It throws an error of the stream unchanged.
   */
  readonly stream: ReadableStream<Uint8Array> | ByteSource;
  /** Bytes, if known. A body of another length is an `IncompleteBody`. */
  readonly size: number | undefined;
  /** The checksum to compute while reading and to keep. */
  readonly algorithm: ChecksumAlgorithm | undefined;
  /** Called after the last byte and before the commit. An error that it throws refuses the write. */
  readonly verify: (received: Received) => void;
};
