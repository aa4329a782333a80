/**
 * Reads a byte stream in lines and in bounded pieces.
 * @module
 */

import { Buffer } from "node:buffer";
import { WORTH_RELEASING } from "./release.ts";

/** Sizes in bytes of the buffers handed to the stream: they grow while it fills them, and shrink when it trickles. */
const BUFFER = { min: 4 * 1024, first: 64 * 1024, max: 128 * 1024 } as const;

const EMPTY = new Uint8Array(0);

/** The one reader of a stream. Takes the stream's lock with the first read, and gives it up at the end. */
export class ByteReader {
  readonly #source: ReadableStream<Uint8Array> | null;
  /** Bytes that are expected, which sizes the buffers; undefined when nobody knows. */
  #expected: number | undefined;
  #read: (() => Promise<Uint8Array | undefined>) | undefined;
  #reader: ReadableStreamBYOBReader | ReadableStreamDefaultReader<Uint8Array> | undefined;
  #buffered: Uint8Array = EMPTY;
  #ended: boolean;

  /**
   * @param source Read to its end, or cancelled; null is an empty one.
   * @param expected Its length in bytes, if known; only a hint.
   */
  constructor(source: ReadableStream<Uint8Array> | null, expected?: number) {
    this.#source = source;
    this.#ended = source === null;
    this.#expected = expected;
  }

  /** The next bytes as they come, at least one and at most `max`; undefined at the end. They are the caller's to keep. */
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
   * The next line as latin1 text, one character a byte, with its line feed. Without a line feed the stream has
   * ended, or the line is longer than `limit` bytes, of which that many are returned.
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

  /** Gives the stream up; reads under way end. */
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
        this.#end();
        throw cause;
      }
      if (piece === undefined) {
        this.#end();
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

  #end(): void {
    if (this.#ended) return; // cancelled meanwhile: cancel() gives the lock back
    this.#ended = true;
    this.#reader?.releaseLock();
  }

  #open(source: ReadableStream<Uint8Array> | null): () => Promise<Uint8Array | undefined> {
    if (source === null) return () => Promise.resolve(undefined);
    // Reading into our own buffers is about twice as fast, but not worth its beginning for what comes in one piece.
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
      // A copy, so that a few bytes do not hold a large buffer for as long as they wait.
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
      // What is read is the caller's own, who may free it: it may have been somebody's array.
      return value.length < WORTH_RELEASING ? value : value.slice();
    };
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
