/**
 * A leaf of the table of keys: up to 128 keys in four arrays of bytes and numbers.
 * @module
 */

import { Buffer, isUtf8 } from "node:buffer";
import type { ObjectKey } from "../../s3/names.ts";

/** Largest number of keys in a leaf. */
export const LEAF = 128;
/** Bytes of an MD5, which is also the part of a multipart ETag before its dash. */
export const DIGEST = 16;
/** Columns of a leaf's numbers: size; milliseconds since 1970; sequence. */
export const NUMBERS = 3;
/** Columns of a leaf's words: the end of the key's text; the ETag's suffix; traits; nuid. */
export const WORDS = 4;
/** The latest time that a Date can hold. */
const MAX_TIME = 8.64e15;
/** Bytes by which a leaf's texts grow. */
const TEXT_STEP = 1024;
/** Bytes of memory of a leaf without its texts. */
const LEAF_BYTES = LEAF * (NUMBERS * 8 + WORDS * 4 + DIGEST) + 512;

/** Keys in order, with their packed columns. */
export class Leaf {
  count = 0;
  text = new Uint8Array(TEXT_STEP);
  readonly numbers = new Float64Array(LEAF * NUMBERS);
  readonly words = new Uint32Array(LEAF * WORDS);
  readonly digests = new Uint8Array(LEAF * DIGEST);

  /** Bytes of memory. */
  get bytes(): number {
    return LEAF_BYTES + this.text.length;
  }

  /** Returns the position where the text of a key begins. */
  start(i: number): number {
    return i === 0 ? 0 : this.words[(i - 1) * WORDS] as number;
  }

  /** Returns the position where the text of a key ends. */
  end(i: number): number {
    return this.words[i * WORDS] as number;
  }

  /** Compares a key with a text. Returns a negative number, zero or a positive number. */
  compare(i: number, text: Uint8Array, length: number): number {
    const start = this.start(i);
    const own = this.end(i) - start;
    const shared = Math.min(own, length);
    const mine = this.text;
    for (let at = 0; at < shared; at++) {
      const difference = (mine[start + at] as number) - (text[at] as number);
      if (difference !== 0) return difference;
    }
    return own - length;
  }

  /** Returns a key. */
  key(i: number): ObjectKey {
    const { buffer } = this.text;
    const start = this.start(i);
    return Buffer.from(buffer, start, this.end(i) - start).toString("utf8") as ObjectKey;
  }

  /** Makes room for an entry and writes the text of its key. */
  insert(i: number, text: Uint8Array, length: number): void {
    this.#shift(i, i + 1, length);
    this.text.set(text.subarray(0, length), this.start(i));
    this.words[i * WORDS] = this.start(i) + length;
  }

  /** Removes an entry. */
  remove(i: number): void {
    this.#shift(i + 1, i, this.start(i) - this.end(i));
  }

  /** Moves the entries behind one position to another one, and their texts by a number of bytes. */
  #shift(from: number, to: number, bytes: number): void {
    const { count, numbers, words, digests } = this;
    const start = this.start(from);
    const used = this.start(count);
    if (used + bytes > this.text.length) this.#grow(used + bytes);
    this.text.copyWithin(start + bytes, start, used);
    numbers.copyWithin(to * NUMBERS, from * NUMBERS, count * NUMBERS);
    words.copyWithin(to * WORDS, from * WORDS, count * WORDS);
    digests.copyWithin(to * DIGEST, from * DIGEST, count * DIGEST);
    this.count += to - from;
    for (let i = to; i < this.count; i++) words[i * WORDS] = this.end(i) + bytes;
  }

  #grow(min: number): void {
    const text = new Uint8Array(Math.ceil(min * 1.25 / TEXT_STEP) * TEXT_STEP);
    text.set(this.text);
    this.text = text;
  }

  /** Appends entries from another leaf. */
  append(other: Leaf, from: number, to: number): void {
    const { count } = this;
    const own = this.start(count);
    const start = other.start(from);
    const length = other.start(to) - start;
    if (own + length > this.text.length) this.#grow(own + length);
    this.text.set(other.text.subarray(start, start + length), own);
    this.numbers.set(other.numbers.subarray(from * NUMBERS, to * NUMBERS), count * NUMBERS);
    this.words.set(other.words.subarray(from * WORDS, to * WORDS), count * WORDS);
    this.digests.set(other.digests.subarray(from * DIGEST, to * DIGEST), count * DIGEST);
    this.count += to - from;
    for (let i = count; i < this.count; i++) this.words[i * WORDS] = this.end(i) - start + own;
  }

  /** Bytes that {@linkcode pack} writes. */
  get packed(): number {
    return 8 + this.count * (NUMBERS * 8 + WORDS * 4 + DIGEST) + this.start(this.count);
  }

  /** Writes the count, the length of the texts, numbers, words, digests and texts, in the machine's byte order. */
  pack(into: Uint8Array): void {
    const { count } = this;
    const length = this.start(count);
    let at = 0;
    for (
      const column of [
        new Uint32Array([count, length]),
        this.numbers.subarray(0, count * NUMBERS),
        this.words.subarray(0, count * WORDS),
        this.digests.subarray(0, count * DIGEST),
        this.text.subarray(0, length),
      ]
    ) {
      into.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
      at += column.byteLength;
    }
  }

  /**
   * Reads a leaf that {@linkcode pack} wrote. Returns undefined for bytes that it cannot have written.
   *
   * @param traits Number of traits in the legend that the words refer to.
   * @param maxText Largest number of bytes of a key.
   */
  static unpack(bytes: Uint8Array, traits: number, maxText: number): Leaf | undefined {
    if (bytes.length < 8) return undefined;
    const [count = 0, length = 0] = new Uint32Array(Uint8Array.from(bytes.subarray(0, 8)).buffer);
    if (count === 0 || count > LEAF || length > count * maxText) return undefined;
    const leaf = new Leaf();
    leaf.count = count;
    if (bytes.length < leaf.packed + length) return undefined;
    leaf.#grow(length);
    let at = 8;
    for (
      const [column, size] of [
        [leaf.numbers, count * NUMBERS * 8],
        [leaf.words, count * WORDS * 4],
        [leaf.digests, count * DIGEST],
        [leaf.text, length],
      ] as const
    ) {
      new Uint8Array(column.buffer).set(bytes.subarray(at, at += size));
    }
    for (let i = 0; i < count; i++) {
      if (!leaf.#hasText(i, length, maxText)) return undefined;
      if (!leaf.#hasNumbers(i, traits)) return undefined;
    }
    const isWhole = leaf.start(count) === length && isUtf8(leaf.text.subarray(0, length));
    return isWhole ? leaf : undefined;
  }

  /** Tells whether the text of an entry is that of a key above the one before it, if all texts together are UTF-8. */
  #hasText(i: number, length: number, maxText: number): boolean {
    const [start, end] = [this.start(i), this.end(i)];
    if (end <= start || end - start > maxText || end > length) return false;
    if (((this.text[start] as number) & 0xc0) === 0x80) return false; // within a character
    return i === 0 || this.compare(i - 1, this.text.subarray(start, end), end - start) < 0;
  }

  /** Tells whether the numbers of an entry are a size, a time and a sequence, and whether its traits exist. */
  #hasNumbers(i: number, traits: number): boolean {
    const [size = -1, modified = NaN, sequence = -1] = this.numbers.subarray(i * NUMBERS);
    return Number.isSafeInteger(size) && size >= 0 && Math.abs(modified) <= MAX_TIME &&
      Number.isSafeInteger(sequence) && sequence > 0 &&
      (this.words[i * WORDS + 2] as number) < traits;
  }

  /** Removes all entries from a position on. */
  cut(from: number): void {
    this.count = from;
  }
}
