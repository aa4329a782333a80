/**
 * A row of leaves: keys sorted by UTF-8 bytes. Leaves are split when they are full and joined when they are sparse.
 * @module
 */

import { MAX_KEY_BYTES, type ObjectKey } from "../../s3/names.ts";
import { LEAF, Leaf } from "./key_leaf.ts";

/** The place of a key, or the one where it would be. */
export type Place = { readonly at: number; readonly i: number; readonly found: boolean };

/** A leaf with fewer keys is joined with its neighbor if both fit into one leaf with room to spare. */
const SPARSE = 32;
/** Bytes of each leaf's first key that are stored side by side: usually they decide a comparison. */
const HEAD = 32;

const encoder = new TextEncoder();
/** The bytes of the text that is being looked up: one at a time. */
const scratch = new Uint8Array(3 * MAX_KEY_BYTES);

/** Leaves in the order of their keys. */
export class LeafRow {
  readonly #leaves: Leaf[] = [];
  /** The beginning of each leaf's first key, padded with zeros. */
  #heads = new Uint8Array(64 * HEAD);
  #bytes = 0;

  /** Bytes of memory of all leaves. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The leaves in order. */
  get leaves(): readonly Leaf[] {
    return this.#leaves;
  }

  /** Finds the first key at or above a text. */
  find(text: string): Place {
    return text.length <= MAX_KEY_BYTES ? this.#seek(encode(text)) : this.#seekLong(text);
  }

  /** Finds a key, and inserts its text if it is missing. `found` tells whether it was there before. */
  insert(key: ObjectKey): Place {
    const length = encode(key);
    const place = this.#seek(length);
    if (place.found) return place;
    let { at, i } = place;
    let leaf = this.#leaves[at];
    if (leaf === undefined) {
      leaf = new Leaf();
      this.#addLeaf(0, leaf);
    }
    if (leaf.count === LEAF) {
      // Keys that come in order fill their leaves.
      const half = i === LEAF && at === this.#leaves.length - 1 ? LEAF : LEAF / 2;
      this.#split(at, half);
      if (i > half || i === LEAF) {
        leaf = this.#leaves[++at] as Leaf;
        i -= half;
      }
    }
    const before = leaf.bytes;
    leaf.insert(i, scratch, length);
    if (i === 0) this.#setHead(at);
    this.#bytes += leaf.bytes - before;
    return { at, i, found: false };
  }

  /** Removes the key of a place. */
  remove({ at, i }: Place): void {
    const leaf = this.#leaves[at] as Leaf;
    leaf.remove(i);
    if (i === 0 && leaf.count > 0) this.#setHead(at);
    if (leaf.count < SPARSE) this.#join(at);
  }

  /** Appends a leaf. Returns false if its first key is not above all others. */
  append(leaf: Leaf): boolean {
    const last = this.#leaves.at(-1);
    const order = last?.compare(last.count - 1, leaf.text, leaf.end(0)) ?? -1;
    if (order >= 0) return false;
    this.#addLeaf(this.#leaves.length, leaf);
    this.#setHead(this.#leaves.length - 1);
    return true;
  }

  /** Finds the place of a text that is longer than any key: its beginning decides, and comes before it. */
  #seekLong(text: string): Place {
    const bytes = encoder.encode(text);
    scratch.set(bytes.subarray(0, scratch.length));
    return this.#seek(Math.min(bytes.length, scratch.length));
  }

  /** Finds the first key at or above the text in `scratch`. */
  #seek(length: number): Place {
    let low = 0;
    let high = this.#leaves.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compareHead(middle, length) <= 0) low = middle + 1;
      else high = middle;
    }
    const at = Math.max(low - 1, 0);
    const leaf = this.#leaves[at];
    if (leaf === undefined) return { at, i: 0, found: false };
    low = 0;
    high = leaf.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = leaf.compare(middle, scratch, length);
      if (order === 0) return { at, i: middle, found: true };
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return { at, i: low, found: false };
  }

  #split(at: number, from: number): void {
    const leaf = this.#leaves[at] as Leaf;
    const right = new Leaf();
    right.append(leaf, from, leaf.count);
    leaf.cut(from);
    this.#addLeaf(at + 1, right);
    if (right.count > 0) this.#setHead(at + 1);
  }

  /** Compares a leaf's first key with the text in `scratch`. */
  #compareHead(at: number, length: number): number {
    const heads = this.#heads;
    const shared = Math.min(HEAD, length);
    for (let i = 0, head = at * HEAD; i < shared; i++, head++) {
      const difference = (heads[head] as number) - (scratch[i] as number);
      if (difference !== 0) return difference;
    }
    return (this.#leaves[at] as Leaf).compare(0, scratch, length);
  }

  #setHead(at: number): void {
    const { text, words } = this.#leaves[at] as Leaf;
    const head = text.subarray(0, Math.min(words[0] as number, HEAD));
    this.#heads.fill(0, at * HEAD + head.length, (at + 1) * HEAD);
    this.#heads.set(head, at * HEAD);
  }

  #addLeaf(at: number, leaf: Leaf): void {
    const used = this.#leaves.length * HEAD;
    if (used === this.#heads.length) {
      const larger = new Uint8Array(used * 2);
      larger.set(this.#heads);
      this.#heads = larger;
    }
    this.#heads.copyWithin((at + 1) * HEAD, at * HEAD, used);
    this.#leaves.splice(at, 0, leaf);
    this.#bytes += leaf.bytes;
  }

  #removeLeaf(at: number): void {
    const { length } = this.#leaves;
    this.#heads.copyWithin(at * HEAD, (at + 1) * HEAD, length * HEAD);
    const [leaf] = this.#leaves.splice(at, 1);
    this.#bytes -= leaf?.bytes ?? 0;
  }

  #join(at: number): void {
    const leaf = this.#leaves[at] as Leaf;
    if (leaf.count === 0) {
      this.#removeLeaf(at);
      return;
    }
    const left = at > 0 ? at - 1 : at;
    const [first, second] = [this.#leaves[left], this.#leaves[left + 1]];
    if (first === undefined || second === undefined) return;
    if (first.count + second.count > LEAF - SPARSE) return;
    const before = first.bytes;
    first.append(second, 0, second.count);
    this.#bytes += first.bytes - before;
    this.#removeLeaf(left + 1);
  }
}

/** Writes a text of at most MAX_KEY_BYTES characters into `scratch`. Returns its length in bytes. */
function encode(text: string): number {
  const { length } = text;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return encoder.encodeInto(text, scratch).written;
    scratch[i] = unit;
  }
  return length;
}
