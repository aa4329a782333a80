/**
 * What a listing shows of each key, sorted by UTF-8 bytes and packed.
 *
 * The table is a row of leaves of up to 128 keys. A leaf is four arrays of bytes and numbers, so that an entry is no
 * object that the garbage collector has to look at; owners, storage classes and checksum kinds, of which a bucket has
 * few, are numbers. A short key takes about 100 bytes, where an object with its texts and dates took 400.
 * @module
 */

import { Buffer } from "node:buffer";
import type { ChecksumAlgorithm, ChecksumType } from "../../s3/checksum.ts";
import type { SortedKeys } from "../../s3/listing.ts";
import { MAX_KEY_BYTES, type ObjectKey } from "../../s3/names.ts";
import type { ListedObject } from "../../store/store.ts";
import { DIGEST, LEAF, Leaf, NUMBERS, WORDS } from "./key_leaf.ts";

/** An entry: what a listing shows, and which message it comes from. */
export type KeyEntry = ListedObject & {
  /** Of the object info in its stream. */
  readonly sequence: number;
  /** A number that objects of the same nuid share, see {@linkcode hashNuid}. */
  readonly nuid: number;
};

/** A leaf with fewer is joined with its neighbour, if both fit into one with room to spare. */
const SPARSE = 32;
/** What stands for an ETag's suffix: the ETag is another text; there is none; the number after its dash, and this. */
const ODD = 0;
const NO_SUFFIX = 1;
const SUFFIX = 2;
/** Bytes of a leaf's first key that stand side by side with those of other leaves: mostly they decide. */
const HEAD = 32;

const encoder = new TextEncoder();
/** The text that is looked for, in bytes: one at a time. */
const scratch = new Uint8Array(3 * MAX_KEY_BYTES);

/** What many entries have in common. */
type Traits = {
  readonly owner?: string | undefined;
  readonly storageClass?: string | undefined;
  readonly algorithm?: ChecksumAlgorithm | undefined;
  readonly type?: ChecksumType | undefined;
};

/** What packed entries refer to. JSON keeps it. */
export type KeyLegend = {
  readonly traits: readonly Traits[];
  /** ETags of another form, by key. */
  readonly oddETags: readonly (readonly [key: string, etag: string])[];
};

/** Where a key is, or would be. */
type Place = { readonly leaf: number; readonly i: number; readonly found: boolean };

/**
 * A number for a nuid that tells it from most others (FNV-1a).
 *
 * @example Usage
 * ```ts
 * import { hashNuid } from "./key_table.ts";
 * import { notStrictEqual, strictEqual } from "node:assert/strict";
 *
 * strictEqual(hashNuid("V1StGXR8"), hashNuid("V1StGXR8"));
 * notStrictEqual(hashNuid("V1StGXR8"), hashNuid("V1StGXR9"));
 * ```
 */
export function hashNuid(nuid: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < nuid.length; i++) hash = Math.imul(hash ^ nuid.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Keys in order, with what a listing shows of them. */
export class KeyTable implements SortedKeys<ListedObject> {
  #leaves: Leaf[] = [];
  /** The beginning of each leaf's first key, filled up with zeros. */
  #heads = new Uint8Array(64 * HEAD);
  #size = 0;
  #bytes = 0;
  /** Traits by their number, and numbers by the traits' text. */
  readonly #traits: Traits[] = [];
  readonly #numbers = new Map<string, number>();
  /** The number given last: neighbours in the stream mostly have the same traits. */
  #lastNumber = -1;
  /** ETags that do not fit into a leaf, by key. */
  readonly #oddETags = new Map<string, string>();

  /** Number of keys. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of memory that it takes, about. */
  get bytes(): number {
    return this.#bytes + this.#oddETags.size * 400 + this.#traits.length * 400;
  }

  has(key: ObjectKey): boolean {
    return this.#find(key).found;
  }

  /** Sequence of a key's message; undefined where the key is not there. */
  sequenceOf(key: ObjectKey): number | undefined {
    const { leaf, i, found } = this.#find(key);
    return found ? this.#leaves[leaf]?.numbers[i * NUMBERS + 2] : undefined;
  }

  /** Adds an entry, or replaces that of the same key. */
  set(entry: KeyEntry): void {
    const length = encode(entry.key);
    let { leaf: at, i, found } = this.#seek(length);
    let leaf = this.#leaves[at];
    if (leaf === undefined) {
      leaf = new Leaf();
      this.#addLeaf(0, leaf);
    }
    if (!found) {
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
      this.#size++;
    }
    this.#write(leaf, i, entry);
  }

  /** Removes a key; false where it was not there. */
  delete(key: ObjectKey): boolean {
    const { leaf: at, i, found } = this.#find(key);
    const leaf = this.#leaves[at];
    if (!found || leaf === undefined) return false;
    leaf.remove(i);
    this.#oddETags.delete(key);
    this.#size--;
    if (i === 0 && leaf.count > 0) this.#setHead(at);
    if (leaf.count < SPARSE) this.#join(at);
    return true;
  }

  *from(text: string): Iterator<ListedObject> {
    let { leaf: at, i } = this.#find(text);
    for (let leaf = this.#leaves[at]; leaf !== undefined; leaf = this.#leaves[++at], i = 0) {
      for (; i < leaf.count; i++) yield this.#read(leaf, i);
    }
  }

  /** Returns the keys whose message is before a sequence, and the lowest sequence of the others; 0 if there are none. */
  before(sequence: number): { readonly keys: readonly ObjectKey[]; readonly next: number } {
    const keys: ObjectKey[] = [];
    let next = Infinity;
    for (const leaf of this.#leaves) {
      const { numbers, count } = leaf;
      for (let i = 0; i < count; i++) {
        const own = numbers[i * NUMBERS + 2] as number;
        if (own < sequence) keys.push(leaf.key(i));
        else if (own < next) next = own;
      }
    }
    return { keys, next: next === Infinity ? 0 : next };
  }

  /** The keys whose nuids have one of these numbers, with the number. */
  ofNuids(
    nuids: { readonly has: (nuid: number) => boolean },
  ): readonly { readonly key: ObjectKey; readonly nuid: number }[] {
    const found: { key: ObjectKey; nuid: number }[] = [];
    for (const leaf of this.#leaves) {
      const { words, count } = leaf;
      for (let i = 0; i < count; i++) {
        const nuid = words[i * WORDS + 3] as number;
        if (nuids.has(nuid)) found.push({ key: leaf.key(i), nuid });
      }
    }
    return found;
  }

  /** What packed entries refer to. */
  get legend(): KeyLegend {
    return { traits: this.#traits, oddETags: [...this.#oddETags] };
  }

  /**
   * Entries from the first key at or above a text, packed, for a table of the same legend.
   *
   * @param most Bytes that they may take, at least those of one leaf.
   * @returns where the next ones begin; undefined behind the last
   */
  pack(
    text: string,
    most: number,
  ): { readonly data: Uint8Array<ArrayBuffer>; readonly next: string | undefined } {
    const pieces: Leaf[] = [];
    let bytes = 0;
    let next: string | undefined;
    let { leaf: at, i } = this.#find(text);
    for (let leaf = this.#leaves[at]; leaf !== undefined; leaf = this.#leaves[++at], i = 0) {
      if (i === leaf.count) continue;
      const piece = new Leaf();
      piece.append(leaf, i, leaf.count);
      if (pieces.length > 0 && bytes + piece.packed > most) {
        next = leaf.key(i);
        break;
      }
      pieces.push(piece);
      bytes += piece.packed;
    }
    const data = new Uint8Array(bytes);
    let offset = 0;
    for (const piece of pieces) {
      piece.pack(data.subarray(offset));
      offset += piece.packed;
    }
    return { data, next };
  }

  /** Takes what packed entries refer to, into an empty table. */
  readLegend({ traits, oddETags }: KeyLegend): void {
    this.#traits.push(...traits);
    for (const [i, own] of traits.entries()) this.#numbers.set(textOfTraits(own), i);
    for (const [key, etag] of oddETags) this.#oddETags.set(key, etag);
  }

  /** Appends packed entries, which come after all that are there. Returns false for what {@linkcode pack} did not make. */
  unpack(data: Uint8Array): boolean {
    for (let at = 0; at < data.length;) {
      const leaf = Leaf.unpack(data.subarray(at), this.#traits.length);
      if (leaf === undefined) return false;
      at += leaf.packed;
      const last = this.#leaves.at(-1);
      const order = last?.compare(last.count - 1, leaf.text, leaf.end(0)) ?? -1;
      if (order >= 0) return false;
      this.#addLeaf(this.#leaves.length, leaf);
      this.#setHead(this.#leaves.length - 1);
      this.#size += leaf.count;
    }
    return true;
  }

  #find(text: string): Place {
    return text.length <= MAX_KEY_BYTES ? this.#seek(encode(text)) : this.#seekLong(text);
  }

  /** A text that is longer than any key: what it begins with decides, and is before it. */
  #seekLong(text: string): Place {
    const bytes = encoder.encode(text);
    scratch.set(bytes.subarray(0, scratch.length));
    return this.#seek(Math.min(bytes.length, scratch.length));
  }

  /** The place of the first key at or above the text in `scratch`. */
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
    if (leaf === undefined) return { leaf: at, i: 0, found: false };
    low = 0;
    high = leaf.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = leaf.compare(middle, scratch, length);
      if (order === 0) return { leaf: at, i: middle, found: true };
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return { leaf: at, i: low, found: false };
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

  #write({ numbers, words, digests }: Leaf, i: number, entry: KeyEntry): void {
    const { key, size, etag, modified, sequence, nuid } = entry;
    numbers[i * NUMBERS] = size;
    numbers[i * NUMBERS + 1] = modified.getTime();
    numbers[i * NUMBERS + 2] = sequence;
    const [, hex, suffix] = /^([0-9a-f]{32})(?:-(0|[1-9]\d{0,8}))?$/.exec(etag) ?? [];
    if (this.#oddETags.size > 0) this.#oddETags.delete(key);
    if (hex === undefined) {
      words[i * WORDS + 1] = ODD;
      this.#oddETags.set(key, etag);
    } else {
      words[i * WORDS + 1] = suffix === undefined ? NO_SUFFIX : Number(suffix) + SUFFIX;
      writeHex(hex, digests, i * DIGEST);
    }
    words[i * WORDS + 2] = this.#numberOf(entry);
    words[i * WORDS + 3] = nuid;
  }

  #read(leaf: Leaf, i: number): ListedObject {
    const { numbers, words, digests } = leaf;
    const key = leaf.key(i);
    const traits = this.#traits[words[i * WORDS + 2] as number] as Traits;
    const { owner, storageClass, algorithm, type } = traits;
    const suffix = words[i * WORDS + 1] as number;
    const hex = suffix === ODD
      ? this.#oddETags.get(key) ?? ""
      : Buffer.from(digests.buffer, i * DIGEST, DIGEST).toString("hex");
    return {
      key,
      size: numbers[i * NUMBERS] as number,
      etag: suffix >= SUFFIX ? `${hex}-${suffix - SUFFIX}` : hex,
      modified: new Date(numbers[i * NUMBERS + 1] as number),
      owner,
      checksum: algorithm === undefined || type === undefined ? undefined : { algorithm, type },
      storageClass,
    };
  }

  #numberOf({ owner, storageClass, checksum }: KeyEntry): number {
    const { algorithm, type } = checksum ?? {};
    const last = this.#traits[this.#lastNumber];
    if (
      last?.owner === owner && last?.storageClass === storageClass &&
      last?.algorithm === algorithm && last?.type === type && last !== undefined
    ) return this.#lastNumber;
    const traits = { owner, storageClass, algorithm, type };
    const text = textOfTraits(traits);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#traits.push(traits) - 1;
      this.#numbers.set(text, number);
    }
    this.#lastNumber = number;
    return number;
  }
}

function textOfTraits({ owner, storageClass, algorithm, type }: Traits): string {
  return JSON.stringify([owner, storageClass, algorithm, type]);
}

/** Writes a text of at most MAX_KEY_BYTES characters into `scratch`; its length in bytes. */
function encode(text: string): number {
  const { length } = text;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return encoder.encodeInto(text, scratch).written;
    scratch[i] = unit;
  }
  return length;
}

function writeHex(hex: string, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < hex.length; i += 2) {
    bytes[at + i / 2] = digit(hex.charCodeAt(i)) << 4 | digit(hex.charCodeAt(i + 1));
  }
}

/** Of a lower-case hexadecimal digit. */
function digit(unit: number): number {
  return unit < 0x3a ? unit - 0x30 : unit - 0x57;
}
