/**
 * What a listing shows of each key, sorted by UTF-8 bytes and packed.
 *
 * The table is a row of leaves of up to 256 keys. A leaf has an array for each column, so that an entry is no object of
 * its own; owners, storage classes and checksum kinds, of which a bucket has few, are numbers. A short key takes about
 * 100 bytes, where an object with its texts and dates took 400.
 * @module
 */

import { Buffer } from "node:buffer";
import type { ChecksumAlgorithm, ChecksumType } from "../s3/checksum.ts";
import { compareUtf8, type SortedKeys } from "../s3/listing.ts";
import type { ObjectKey } from "../s3/names.ts";
import type { ListedObject } from "../store/store.ts";

/** Most keys of a leaf. */
const LEAF = 256;
/** A leaf with fewer is joined with its neighbour, if both fit into one with room to spare. */
const SPARSE = 64;
/** Bytes of an MD5, or of the part of another ETag before its dash. */
const DIGEST = 16;
/** In place of the number after an ETag's dash: there is none; the ETag is another text. */
const NO_SUFFIX = -1;
const ODD = -2;
const SURROGATE = /[\ud800-\udfff]/;

/** What many entries have in common. */
type Traits = {
  readonly owner: string | undefined;
  readonly storageClass: string | undefined;
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly type: ChecksumType | undefined;
};

class Leaf {
  count = 0;
  readonly keys: string[] = [];
  readonly sizes = new Float64Array(LEAF);
  /** Milliseconds since 1970. */
  readonly modified = new Float64Array(LEAF);
  readonly digests = new Uint8Array(LEAF * DIGEST);
  readonly suffixes = new Int32Array(LEAF);
  readonly traits = new Uint32Array(LEAF);

  /** Moves the entries from a position on by some places, and sets the count. */
  shift(from: number, by: number): void {
    const to = from + by;
    const { count } = this;
    for (const column of [this.sizes, this.modified, this.suffixes, this.traits]) {
      column.copyWithin(to, from, count);
    }
    this.digests.copyWithin(to * DIGEST, from * DIGEST, count * DIGEST);
    this.count += by;
  }

  /** Appends entries of another leaf. */
  append(other: Leaf, from: number, to: number): void {
    const { count } = this;
    this.keys.push(...other.keys.slice(from, to));
    this.sizes.set(other.sizes.subarray(from, to), count);
    this.modified.set(other.modified.subarray(from, to), count);
    this.suffixes.set(other.suffixes.subarray(from, to), count);
    this.traits.set(other.traits.subarray(from, to), count);
    this.digests.set(other.digests.subarray(from * DIGEST, to * DIGEST), count * DIGEST);
    this.count += to - from;
  }
}

/** Keys in order, with what a listing shows of them. */
export class KeyTable implements SortedKeys<ListedObject> {
  #leaves: Leaf[] = [];
  #size = 0;
  /** Traits by their number, and numbers by the traits' text. */
  readonly #traits: Traits[] = [];
  readonly #numbers = new Map<string, number>();
  /** The number given last: neighbours in the stream mostly have the same traits. */
  #lastNumber = -1;
  /** No key has a character beyond the basic plane: then JavaScript's order, which is faster, is that of UTF-8. */
  #isBasic = true;
  /** ETags that do not fit into a leaf, by key. */
  readonly #oddETags = new Map<string, string>();

  /** Number of keys. */
  get size(): number {
    return this.#size;
  }

  has(key: ObjectKey): boolean {
    const leaf = this.#leaves[this.#leafOf(key)];
    return leaf !== undefined && leaf.keys[this.#position(leaf, key)] === key;
  }

  /** Adds an entry, or replaces that of the same key. */
  set(entry: ListedObject): void {
    const { key } = entry;
    if (this.#isBasic && SURROGATE.test(key)) this.#isBasic = false;
    let at = Math.max(this.#leafOf(key), 0);
    let leaf = this.#leaves[at];
    if (leaf === undefined) this.#leaves.push(leaf = new Leaf());
    let i = this.#position(leaf, key);
    if (leaf.keys[i] !== key) {
      if (leaf.count === LEAF) {
        // Keys that come in order fill their leaves.
        const half = i === LEAF && at === this.#leaves.length - 1 ? LEAF : LEAF / 2;
        this.#split(at, half);
        if (i > half || i === LEAF) {
          leaf = this.#leaves[++at] as Leaf;
          i -= half;
        }
      }
      leaf.shift(i, 1);
      leaf.keys.splice(i, 0, key);
      this.#size++;
    }
    this.#write(leaf, i, entry);
  }

  /** Removes a key; false where it was not there. */
  delete(key: ObjectKey): boolean {
    const at = this.#leafOf(key);
    const leaf = this.#leaves[at];
    const i = leaf === undefined ? -1 : this.#position(leaf, key);
    if (leaf === undefined || leaf.keys[i] !== key) return false;
    leaf.shift(i + 1, -1);
    leaf.keys.splice(i, 1);
    this.#oddETags.delete(key);
    this.#size--;
    if (leaf.count < SPARSE) this.#join(at);
    return true;
  }

  clear(): void {
    this.#leaves = [];
    this.#size = 0;
    this.#oddETags.clear();
  }

  *from(text: string): Iterator<ListedObject> {
    let at = Math.max(this.#leafOf(text), 0);
    let leaf = this.#leaves[at];
    let i = leaf === undefined ? 0 : this.#position(leaf, text);
    for (; leaf !== undefined; leaf = this.#leaves[++at], i = 0) {
      for (; i < leaf.count; i++) yield this.#read(leaf, i);
    }
  }

  /** Position of the last leaf whose first key is at or below a text; -1 for none. */
  #leafOf(text: string): number {
    const isBefore = this.#orderBefore(text);
    let low = 0;
    let high = this.#leaves.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const first = this.#leaves[middle]?.keys[0] ?? "";
      if (first === text || isBefore(first)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Position of a leaf's first key at or above a text. */
  #position({ keys }: Leaf, text: string): number {
    const isBefore = this.#orderBefore(text);
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(keys[middle] as string)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #orderBefore(text: string): (key: string) => boolean {
    return this.#isBasic && !SURROGATE.test(text)
      ? (key) => key < text
      : (key) => compareUtf8(key, text) < 0;
  }

  #split(at: number, from: number): void {
    const leaf = this.#leaves[at] as Leaf;
    const right = new Leaf();
    right.append(leaf, from, leaf.count);
    leaf.keys.length = leaf.count = from;
    this.#leaves.splice(at + 1, 0, right);
  }

  #join(at: number): void {
    const leaf = this.#leaves[at] as Leaf;
    if (leaf.count === 0) {
      this.#leaves.splice(at, 1);
      return;
    }
    const left = at > 0 ? at - 1 : at;
    const [first, second] = [this.#leaves[left], this.#leaves[left + 1]];
    if (first === undefined || second === undefined) return;
    if (first.count + second.count > LEAF - SPARSE) return;
    first.append(second, 0, second.count);
    this.#leaves.splice(left + 1, 1);
  }

  #write(leaf: Leaf, i: number, entry: ListedObject): void {
    const { key, size, etag, modified, owner, checksum, storageClass } = entry;
    leaf.sizes[i] = size;
    leaf.modified[i] = modified.getTime();
    leaf.traits[i] = this.#numberOf({
      owner,
      storageClass,
      algorithm: checksum?.algorithm,
      type: checksum?.type,
    });
    const [, hex, suffix] = /^([0-9a-f]{32})(?:-(0|[1-9]\d{0,8}))?$/.exec(etag) ?? [];
    this.#oddETags.delete(key);
    if (hex === undefined) {
      leaf.suffixes[i] = ODD;
      this.#oddETags.set(key, etag);
    } else {
      leaf.suffixes[i] = suffix === undefined ? NO_SUFFIX : Number(suffix);
      leaf.digests.set(Buffer.from(hex, "hex"), i * DIGEST);
    }
  }

  #read(leaf: Leaf, i: number): ListedObject {
    const key = leaf.keys[i] as ObjectKey;
    const { owner, storageClass, algorithm, type } = this
      .#traits[leaf.traits[i] as number] as Traits;
    const suffix = leaf.suffixes[i] as number;
    const hex = suffix === ODD
      ? ""
      : Buffer.from(leaf.digests.buffer, i * DIGEST, DIGEST).toString("hex");
    return {
      key,
      size: leaf.sizes[i] as number,
      etag: suffix === ODD
        ? this.#oddETags.get(key) ?? ""
        : suffix === NO_SUFFIX
        ? hex
        : `${hex}-${suffix}`,
      modified: new Date(leaf.modified[i] as number),
      owner,
      checksum: algorithm === undefined || type === undefined ? undefined : { algorithm, type },
      storageClass,
    };
  }

  #numberOf(traits: Traits): number {
    const { owner, storageClass, algorithm, type } = traits;
    const last = this.#traits[this.#lastNumber];
    if (
      last?.owner === owner && last?.storageClass === storageClass &&
      last?.algorithm === algorithm && last?.type === type && last !== undefined
    ) return this.#lastNumber;
    const text = JSON.stringify([owner, storageClass, algorithm, type]);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#traits.push(traits) - 1;
      this.#numbers.set(text, number);
    }
    this.#lastNumber = number;
    return number;
  }
}
