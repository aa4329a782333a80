/**
 * Frames of the NATS protocol: a line, and for a message its payload.
 * @module
 */

import { WORTH_RELEASING } from "../../streams/release.ts";

/** Initial size of the buffer for small frames; it holds at least one whole protocol line. */
const SCRATCH = 64 * 1024;
/** Longest protocol line: the server's INFO names every server of a cluster. */
const MAX_LINE = 1024 * 1024;
/** Size from which a frame is worth a buffer of its own. */
const LARGE = WORTH_RELEASING;

const LF = 10;
const ZERO = 48;
const NINE = 57;
const H = 72;
const M = 77;

/** Reads bytes and cuts them into frames. */
export class FrameReader {
  readonly #read: (into: Uint8Array) => Promise<number | undefined>;
  readonly #fail: (cause: Error) => void;
  /** Bytes received and not yet handed on: `#scratch` from `#start` to `#end`. */
  #scratch = new Uint8Array(SCRATCH);
  #start = 0;
  #end = 0;

  /**
   * @param read Returns the number of bytes that it has read; undefined at the end.
   * @param fail Receives the reason why there are no more frames, unless reading has ended.
   */
  constructor(
    read: (into: Uint8Array) => Promise<number | undefined>,
    fail: (cause: Error) => void,
  ) {
    this.#read = read;
    this.#fail = fail;
  }

  /** The bytes received and not yet handed on. They stay. */
  get received(): Uint8Array {
    return this.#scratch.subarray(this.#start, this.#end);
  }

  /** Replaces the bytes received by others. */
  replace(bytes: Uint8Array): void {
    this.#scratch.set(bytes);
    this.#start = 0;
    this.#end = bytes.length;
  }

  /** Returns the whole small frames received, and the size of a large frame that has begun behind them. */
  next(): { readonly small: Uint8Array | undefined; readonly large: number | undefined } {
    let whole = this.#start;
    let large: number | undefined;
    while (whole < this.#end) {
      const feed = this.#scratch.indexOf(LF, whole);
      if (feed < 0 || feed >= this.#end) break;
      const size = feed + 1 - whole + payloadSize(this.#scratch, whole, feed);
      if (whole + size > this.#end) {
        if (size >= LARGE) large = size;
        break;
      }
      whole += size;
    }
    // A copy: messages are views of it and outlive the buffer's content.
    const small = whole > this.#start ? this.#scratch.slice(this.#start, whole) : undefined;
    this.#start = whole;
    return { small, large };
  }

  /** Reads a large frame into a buffer of its own; returns undefined at the end. */
  async readLarge(size: number): Promise<Uint8Array | undefined> {
    const frame = new Uint8Array(size);
    frame.set(this.received);
    let filled = this.#end - this.#start;
    this.#start = this.#end = 0;
    while (filled < size) {
      const count = await this.#read(frame.subarray(filled));
      if (count === undefined) return undefined;
      filled += count;
    }
    return frame;
  }

  /** Reads more bytes; returns false at the end. */
  async fill(): Promise<boolean> {
    if (this.#start > 0) {
      this.#scratch.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#end === this.#scratch.length) {
      if (this.#end >= MAX_LINE) {
        this.#fail(new Error("The server sent a protocol line without end"));
        return false;
      }
      const larger = new Uint8Array(this.#end * 2);
      larger.set(this.#scratch);
      this.#scratch = larger;
    }
    const count = await this.#read(this.#scratch.subarray(this.#end));
    this.#end += count ?? 0;
    return count !== undefined;
  }
}

/** Returns the size of the payload after a line, with its line end: `MSG … 12` and `HMSG … 6 12` have one. */
function payloadSize(bytes: Uint8Array, from: number, feed: number): number {
  const first = bytes[from];
  if (first !== M && first !== H) return 0;
  let size = 0;
  let scale = 1;
  for (let at = feed - 2; at > from; at--) { // before the carriage return
    const digit = bytes[at] ?? 0;
    if (digit < ZERO || digit > NINE) break;
    size += (digit - ZERO) * scale;
    scale *= 10;
  }
  return size + 2;
}

/** Joins the small frames among those that wait, so that they go out in one write. */
export function joinSmall(frames: readonly Uint8Array[]): readonly Uint8Array[] {
  if (frames.length === 1) return frames;
  const joined: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const flush = (): void => {
    const [only] = small;
    if (only !== undefined) joined.push(small.length === 1 ? only : concat(small));
    small = [];
  };
  for (const frame of frames) {
    if (frame.length < LARGE) {
      small.push(frame);
    } else {
      flush();
      joined.push(frame);
    }
  }
  flush();
  return joined;
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
