/**
 * The calls that `bench.ts` makes to the raw JetStream process (`raw.ts`). A call is a line of JSON, as is its reply.
 * @module
 */

/** Bodies that were published one by one, in a named group. */
type Bulk = { readonly bucket: string; readonly group: string; readonly n: number };
/** The number of requests in flight. */
type Many = { readonly c: number };
/** Numbered small objects. */
type Small = Many & { readonly bucket: string; readonly n: number };

/** One call. A bucket is one that a gateway created: its stream is used as it is. */
export type RawCall =
  /** Publishes `n` bodies in chunks, `c` at a time. */
  | Bulk & Many & {
    readonly op: "publish";
    readonly size: number;
    readonly chunkSize: number;
    /** Whether to compute MD5 and SHA-256 inline. */
    readonly hash: boolean;
  }
  /** Direct gets of all chunks of `n` of the group's bodies, `c` bodies at a time. */
  | Bulk & Many & { readonly op: "get" }
  /** Direct gets of the chunks that hold `n` random ranges of `length` bytes of the group's first body. */
  | Bulk & Many & { readonly op: "range"; readonly length: number }
  /** Removes the group's chunks. */
  | Omit<Bulk, "n"> & { readonly op: "purge" }
  /** Small objects: one chunk, hashed, then metadata with an expected sequence and a rollup. */
  | Small & { readonly op: "small-put"; readonly size: number }
  /** Small objects: metadata then chunk, metadata alone, or metadata then a delete marker in its place. */
  | Small & { readonly op: "small-get" }
  | Small & { readonly op: "small-head" }
  | Small & { readonly op: "small-delete" }
  /** Deletes a bucket's stream. */
  | { readonly op: "drop"; readonly bucket: string }
  /** Chunk size, in bytes, of an object that a gateway stored. */
  | { readonly op: "chunk-size"; readonly bucket: string; readonly key: string };

/** The result of a call. */
export type RawResult = {
  readonly ops: number;
  readonly seconds: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Only in the result of `chunk-size`. */
  readonly chunkSize?: number;
};

/** One line of the reply. */
export type RawReply = { readonly result: RawResult } | { readonly error: string };
