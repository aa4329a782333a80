/**
 * What `bench.ts` asks of the process that speaks to JetStream itself (`raw.ts`): one line of JSON each, answered by one.
 * @module
 */

/** Bodies that were published in one piece each, by a name of their own. */
type Bulk = { readonly bucket: string; readonly group: string; readonly n: number };
/** Requests in flight. */
type Many = { readonly c: number };
/** Small objects, by number. */
type Small = Many & { readonly bucket: string; readonly n: number };

/** One call. A bucket is that of a gateway: its stream is used as it is. */
export type RawCall =
  /** Publishes `n` bodies in chunks, `c` at a time. */
  | Bulk & Many & {
    readonly op: "publish";
    readonly size: number;
    readonly chunkSize: number;
    /** MD5 and SHA-256, inline. */
    readonly hash: boolean;
  }
  /** Direct gets of all chunks of `n` of the group's bodies, `c` bodies at a time. */
  | Bulk & Many & { readonly op: "get" }
  /** Direct gets of the chunks that hold `n` random stretches of `length` bytes of the group's first body. */
  | Bulk & Many & { readonly op: "range"; readonly length: number }
  /** Removes the group's chunks. */
  | Omit<Bulk, "n"> & { readonly op: "purge" }
  /** Small objects: one chunk, hashed, then metadata with an expected sequence and a rollup. */
  | Small & { readonly op: "small-put"; readonly size: number }
  /** Metadata, then the chunk; metadata alone; metadata, then a delete marker in its place. */
  | Small & { readonly op: "small-get" }
  | Small & { readonly op: "small-head" }
  | Small & { readonly op: "small-delete" }
  /** Deletes a bucket's stream. */
  | { readonly op: "drop"; readonly bucket: string }
  /** Bytes of the chunks of an object that a gateway stored. */
  | { readonly op: "chunk-size"; readonly bucket: string; readonly key: string };

/** What a call came to. */
export type RawResult = {
  readonly ops: number;
  readonly seconds: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Answers `chunk-size`. */
  readonly chunkSize?: number;
};

/** A line of the answer. */
export type RawAnswer = { readonly result: RawResult } | { readonly error: string };
