/**
 * A chunk group that no seek table describes: the positions of its chunks are known as far as somebody has read.
 * @module
 */

import { ChunksMissing } from "./chunk_reader.ts";
import type { KnownGroup } from "./pieces.ts";

/** Most chunks whose positions are kept: 64 GB in the chunks of native clients. */
const MAX_CHUNKS = 500_000;

/** The end of a stretch of chunks. */
export type Cursor = {
  /** Number of chunks before it. */
  readonly index: number;
  /** Stream sequence of the last of them; 0 if there is none. */
  readonly sequence: number;
  /** Number of bytes before it. */
  readonly position: number;
};

/** The known chunks of a group, from the first one on. All readers of the group share it, and it outlives them. */
export class WalkedGroup implements KnownGroup {
  readonly subject: string;
  /** Number of bytes and of chunks in the object info. */
  readonly size: number;
  readonly chunks: number;
  readonly sequences: number[] = [];
  readonly offsets: number[] = [0];
  /** A search for more chunks, under way for all readers that wait. */
  search: Promise<void> | undefined;

  constructor(subject: string, size: number, chunks: number) {
    this.subject = subject;
    this.size = size;
    this.chunks = chunks;
  }

  /** The end of the known chunks. */
  get end(): Cursor {
    const { sequences, offsets } = this;
    return {
      index: sequences.length,
      sequence: sequences.at(-1) ?? 0,
      position: offsets.at(-1) ?? 0,
    };
  }

  /** Whether more chunks can be kept. */
  get isFull(): boolean {
    return this.sequences.length >= MAX_CHUNKS;
  }

  /**
   * Adds the chunk behind a cursor and returns the cursor behind the chunk.
   *
   * @throws ChunksMissing if the group is longer than the object info says
   */
  add({ index, position }: Cursor, sequence: number, length: number): Cursor {
    const next = { index: index + 1, sequence, position: position + length };
    if (next.position > this.size) {
      throw new ChunksMissing(`"${this.subject}" has more than ${this.size} bytes`);
    }
    if (index === this.sequences.length && !this.isFull) {
      this.sequences.push(sequence);
      this.offsets.push(next.position);
    }
    return next;
  }

  /**
   * Checks that more chunks may follow a cursor.
   *
   * @throws ChunksMissing if the object info says that there are none
   */
  checkMore({ index, position }: Cursor): void {
    if (index < this.chunks) return;
    throw new ChunksMissing(`"${this.subject}" has ${position} of ${this.size} bytes`);
  }
}
