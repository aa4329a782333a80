/**
 * Cuts a body into chunks of one size.
 * @module
 */

import type { ByteSource } from "../../streams/byte_source.ts";
import { release } from "../../streams/release.ts";

/** Cuts a body into chunks of one size, except the last one, which may be shorter. */
export class Cutter {
  readonly #source: ByteSource;
  readonly #chunkSize: number;
  /** Bytes to come; Infinity if their number is unknown. */
  #remaining: number;
  /** The last piece that was received. It is cut up to `#at`. */
  #piece: Uint8Array = EMPTY;
  #at = 0;
  /** A chunk lies in the memory of the piece. */
  #lent = false;

  /**
   * @param chunkSize Bytes.
   * @param size Bytes of the body; undefined if their number is unknown.
   */
  constructor(source: ByteSource, chunkSize: number, size: number | undefined) {
    this.#source = source;
    this.#chunkSize = chunkSize;
    this.#remaining = size ?? Infinity;
  }

  /** Returns the next chunk, which belongs to the caller; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    const room = Math.min(this.#chunkSize, Math.max(this.#remaining, 1));
    let chunk: Uint8Array | undefined;
    let filled = 0;
    for (;;) {
      const left = this.#piece.length - this.#at;
      if (left === 0) {
        if (!this.#lent) release(this.#piece);
        const piece = await this.#source.read();
        this.#piece = piece ?? EMPTY;
        this.#at = 0;
        this.#lent = false;
        if (piece === undefined) return chunk && this.#cut(chunk.subarray(0, filled));
        continue;
      }
      const from = this.#at;
      this.#at += Math.min(left, room - filled);
      const part = this.#piece.subarray(from, this.#at);
      if (part.length === room) {
        this.#lent = true;
        return this.#cut(part);
      }
      chunk ??= new Uint8Array(room);
      chunk.set(part, filled);
      filled += part.length;
      if (filled === room) return this.#cut(chunk);
    }
  }

  #cut(chunk: Uint8Array): Uint8Array {
    this.#remaining -= chunk.length;
    return chunk;
  }
}

const EMPTY = new Uint8Array();
