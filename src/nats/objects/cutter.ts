/**
 * Cuts a body into chunks of one size.
 * @module
 */

import type { ByteSource } from "../../streams/byte_source.ts";
import { release } from "../../streams/release.ts";

/** A piece of the body in whose memory several chunks lie. */
type Lent = {
  readonly piece: Uint8Array;
  /** Number of chunks in use, and one more while the piece is being cut. */
  users: number;
};

/** Cuts a body into chunks of one size, except the last one, which may be shorter. */
export class Cutter {
  readonly #source: ByteSource;
  readonly #chunkSize: number;
  /** Bytes to come; Infinity if their number is unknown. */
  #remaining: number;
  /** The last piece that was received. It is cut up to `#at`. */
  #piece: Uint8Array = EMPTY;
  #at = 0;
  /** The last piece is one chunk, which owns its memory. */
  #isGiven = false;
  /** The last piece if chunks lie in it, and those of all chunks in use that lie in pieces. */
  #lent: Lent | undefined;
  readonly #lentOf = new Map<Uint8Array, Lent>();

  /**
   * @param chunkSize Bytes, at least one.
   * @param size Bytes of the body; undefined if their number is unknown.
   */
  constructor(source: ByteSource, chunkSize: number, size: number | undefined) {
    if (chunkSize < 1) throw new RangeError(`Cannot cut chunks of ${chunkSize} bytes`);
    this.#source = source;
    this.#chunkSize = chunkSize;
    this.#remaining = size ?? Infinity;
  }

  /** Returns the next chunk, at least one byte; undefined at the end. It is the caller's until {@linkcode release}. */
  async next(): Promise<Uint8Array | undefined> {
    const room = Math.min(this.#chunkSize, Math.max(this.#remaining, 1));
    let chunk: Uint8Array | undefined;
    let filled = 0;
    for (;;) {
      const left = this.#piece.length - this.#at;
      if (left === 0) {
        this.#endPiece();
        const piece = await this.#source.read();
        this.#piece = piece ?? EMPTY;
        this.#at = 0;
        if (piece === undefined) return chunk && this.#cut(chunk.subarray(0, filled));
        continue;
      }
      const from = this.#at;
      this.#at += Math.min(left, room - filled);
      const part = this.#piece.subarray(from, this.#at);
      if (part.length === room) {
        this.#lend(part);
        return this.#cut(part);
      }
      chunk ??= new Uint8Array(room);
      chunk.set(part, filled);
      filled += part.length;
      if (filled === room) return this.#cut(chunk);
    }
  }

  /** Frees the memory of a chunk that nobody uses any more, unless other chunks lie in it. */
  release(chunk: Uint8Array): void {
    const lent = this.#lentOf.get(chunk);
    this.#lentOf.delete(chunk);
    if (lent === undefined) release(chunk);
    else giveUp(lent);
  }

  #lend(part: Uint8Array): void {
    if (part.length === this.#piece.length) {
      this.#isGiven = true;
      return;
    }
    this.#lent ??= { piece: this.#piece, users: 1 };
    this.#lent.users++;
    this.#lentOf.set(part, this.#lent);
  }

  #endPiece(): void {
    if (this.#lent !== undefined) giveUp(this.#lent);
    else if (!this.#isGiven) release(this.#piece);
    this.#lent = undefined;
    this.#isGiven = false;
  }

  #cut(chunk: Uint8Array): Uint8Array {
    this.#remaining -= chunk.length;
    return chunk;
  }
}

/** Ends one use of a piece, and frees it after the last. */
function giveUp(lent: Lent): void {
  if (--lent.users === 0) release(lent.piece);
}

const EMPTY = new Uint8Array();
