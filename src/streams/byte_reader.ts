/**
 * A reader that returns a byte stream in lines and in bounded pieces.
 * @module
 */

import { Buffer } from "node:buffer";
import { WORTH_RELEASING } from "./release.ts";

/** Sizes in bytes of the buffers that a stream fills. They grow while it fills them and shrink when little arrives. */
const BUFFER = { min: 4 * 1024, first: 64 * 1024, max: 128 * 1024 } as const;

const EMPTY = new Uint8Array(0);

/**
 * The only reader of a stream. It takes the stream's lock with the first read, and releases it when the stream fails or
 * is cancelled. A stream that has ended stays locked: to release a lock, the runtime makes an error with its stack, which
 * took 4 % of the processor time of a small PUT.
 */
export class ByteReader {
  readonly #source: ReadableStream<Uint8Array> | null;
  /** Number of bytes that are still expected, which decides the size of the buffers; undefined if unknown. */
  #expected: number | undefined;
  #read: (() => Promise<Uint8Array | undefined>) | undefined;
  #reader: ReadableStreamBYOBReader | ReadableStreamDefaultReader<Uint8Array> | undefined;
  #buffered: Uint8Array = EMPTY;
  #ended: boolean;

  /**
   * @param source The caller reads it to its end or cancels it; null is an empty stream.
   * @param expected The stream's length in bytes, if known; only a hint.
   */
  constructor(source: ReadableStream<Uint8Array> | null, expected?: number) {
    this.#source = source;
    this.#ended = source === null;
    this.#expected = expected;
  }

  /** Returns the next bytes, at least one and at most `max`; undefined at the end. The caller owns them. */
  async read(max: number): Promise<Uint8Array | undefined> {
    if (this.#buffered.length === 0 && !await this.#fill()) return undefined;
    const piece = this.#buffered;
    if (piece.length <= max) {
      this.#buffered = EMPTY;
      return piece;
    }
    this.#buffered = piece.subarray(max);
    return piece.subarray(0, max);
  }

  /**
   * Returns the next line as latin1 text (one character per byte) with its line feed. A line without a line feed is the
   * end of the stream, or the first `limit` bytes of a longer line.
   */
  async readLine(limit: number): Promise<string> {
    let line = "";
    while (line.length < limit) {
      if (this.#buffered.length === 0 && !await this.#fill()) break;
      const feed = this.#buffered.indexOf(0x0a);
      const end = Math.min(feed < 0 ? this.#buffered.length : feed + 1, limit - line.length);
      line += latin1(this.#buffered.subarray(0, end));
      this.#buffered = this.#buffered.subarray(end);
      if (line.endsWith("\n")) break;
    }
    return line;
  }

  /** Cancels the stream. A pending read ends as at the end of the stream. */
  async cancel(reason?: unknown): Promise<void> {
    this.#buffered = EMPTY;
    if (this.#ended) return;
    this.#ended = true;
    const reader = this.#reader;
    if (reader === undefined) return await this.#source?.cancel(reason);
    try {
      await reader.cancel(reason);
    } finally {
      reader.releaseLock();
    }
  }

  async #fill(): Promise<boolean> {
    while (!this.#ended) {
      this.#read ??= this.#open(this.#source);
      let piece: Uint8Array | undefined;
      try {
        piece = await this.#read();
      } catch (cause) {
        this.#fail();
        throw cause;
      }
      if (piece === undefined) {
        this.#ended = true;
      } else if (piece.length > 0) {
        if (this.#expected !== undefined) {
          this.#expected = Math.max(this.#expected - piece.length, 0);
        }
        this.#buffered = piece;
        return true;
      }
    }
    return false;
  }

  #fail(): void {
    if (this.#ended) return; // cancelled meanwhile: cancel() releases the lock
    this.#ended = true;
    this.#reader?.releaseLock();
  }

  #open(source: ReadableStream<Uint8Array> | null): () => Promise<Uint8Array | undefined> {
    if (source === null) return () => Promise.resolve(undefined);
    // Reading into our own buffers is about twice as fast, but starting it is not worthwhile for a single piece.
    if (this.#expected !== undefined && this.#expected <= BUFFER.first) {
      return this.#openPlain(source);
    }
    try {
      return this.#openByob(source);
    } catch (cause) {
      // Small bodies on a reused connection are not byte streams.
      if (!(cause instanceof TypeError) || source.locked) throw cause;
      return this.#openPlain(source);
    }
  }

  #openByob(source: ReadableStream<Uint8Array>): () => Promise<Uint8Array | undefined> {
    const reader = source.getReader({ mode: "byob" });
    this.#reader = reader;
    let size: number = BUFFER.first;
    return async () => {
      const room = Math.min(Math.max(this.#expected ?? size, 1), size);
      const { done, value } = await reader.read(new Uint8Array(room));
      if (done) return undefined;
      if (value.length === room) size = Math.min(size * 2, BUFFER.max);
      if (value.length > room / 4) return value;
      // Copy a few bytes, so that they do not keep a large buffer alive.
      size = Math.max(size / 2, BUFFER.min);
      return value.slice();
    };
  }

  #openPlain(source: ReadableStream<Uint8Array>): () => Promise<Uint8Array | undefined> {
    const reader = source.getReader();
    this.#reader = reader;
    return async () => {
      const { done, value } = await reader.read();
      if (done) return undefined;
      // Copy, because the caller owns the result and may free it, while the stream's producer may still use its array.
      return value.length < WORTH_RELEASING ? value : value.slice();
    };
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
