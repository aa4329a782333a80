/**
 * The keys of a bucket and the listed properties of each, sorted by UTF-8 bytes and packed.
 *
 * The table is a row of leaves of up to 128 keys. A leaf is four arrays of bytes and numbers, so the garbage collector has
 * no object per key to visit. A short key takes about 100 bytes; an object with its texts and dates took 400.
 * @module
 */

import type { SortedKeys } from "../../s3/key_order.ts";
import { MAX_KEY_BYTES, type ObjectKey } from "../../s3/names.ts";
import type { ListedObject } from "../../store/listings.ts";
import { Leaf } from "./key_leaf.ts";
import { type KeyEntry, type KeyLegend, KeyPacking, nuidAt, sequenceAt } from "./key_packing.ts";
import { LeafRow } from "./leaf_row.ts";

/** What texts packed entries may have in the places of keys. */
export type PackedTexts = {
  readonly maxBytes: number;
  /** Tells whether a text is one of them; absent if each is that is UTF-8. */
  readonly isText?: (text: string) => boolean;
};

const KEYS: PackedTexts = { maxBytes: MAX_KEY_BYTES };

/** Keys in order, with the listed properties of each. */
export class KeyTable implements SortedKeys<ListedObject> {
  readonly #row = new LeafRow();
  readonly #packing = new KeyPacking();
  #size = 0;

  /** Number of keys. */
  get size(): number {
    return this.#size;
  }

  /** Approximate size in bytes of memory. */
  get bytes(): number {
    return this.#row.bytes + this.#packing.bytes;
  }

  /** Tells whether the table has a key. */
  has(key: ObjectKey): boolean {
    return this.#row.find(key).found;
  }

  /** Returns the sequence of a key's message; undefined if the table does not have the key. */
  sequenceOf(key: ObjectKey): number | undefined {
    const { at, i, found } = this.#row.find(key);
    return found ? sequenceAt(this.#row.leaves[at] as Leaf, i) : undefined;
  }

  /** Returns the first key that begins with a text. */
  firstWith(text: string): ObjectKey | undefined {
    const { leaves } = this.#row;
    const { at, i } = this.#row.find(text);
    const leaf = leaves[at];
    const key = leaf === undefined || i < leaf.count ? leaf?.key(i) : leaves[at + 1]?.key(0);
    return key?.startsWith(text) === true ? key : undefined;
  }

  /** Adds an entry, or replaces the one of the same key. */
  set(entry: KeyEntry): void {
    const { at, i, found } = this.#row.insert(entry.key);
    if (!found) this.#size++;
    this.#packing.write(this.#row.leaves[at] as Leaf, i, entry);
  }

  /** Removes a key. Returns whether the table had it. */
  delete(key: ObjectKey): boolean {
    const place = this.#row.find(key);
    if (!place.found) return false;
    this.#row.remove(place);
    this.#packing.forget(key);
    this.#size--;
    return true;
  }

  /** Iterates over the entries from the first key at or above a text. */
  *from(text: string): Iterator<ListedObject> {
    const { leaves } = this.#row;
    let { at, i } = this.#row.find(text);
    for (let leaf = leaves[at]; leaf !== undefined; leaf = leaves[++at], i = 0) {
      for (; i < leaf.count; i++) yield this.#packing.read(leaf, i);
    }
  }

  /** Returns the keys whose message is before a sequence, and the lowest sequence of the others; 0 if there are none. */
  before(sequence: number): { readonly keys: readonly ObjectKey[]; readonly next: number } {
    const keys: ObjectKey[] = [];
    let next = Infinity;
    for (const leaf of this.#row.leaves) {
      for (let i = 0; i < leaf.count; i++) {
        const own = sequenceAt(leaf, i);
        if (own < sequence) keys.push(leaf.key(i));
        else if (own < next) next = own;
      }
    }
    return { keys, next: next === Infinity ? 0 : next };
  }

  /** Returns the keys whose nuid has one of these numbers, with the number. */
  ofNuids(
    nuids: { readonly has: (nuid: number) => boolean },
  ): readonly { readonly key: ObjectKey; readonly nuid: number }[] {
    const found: { key: ObjectKey; nuid: number }[] = [];
    for (const leaf of this.#row.leaves) {
      for (let i = 0; i < leaf.count; i++) {
        const nuid = nuidAt(leaf, i);
        if (nuids.has(nuid)) found.push({ key: leaf.key(i), nuid });
      }
    }
    return found;
  }

  /** The texts that packed entries refer to. */
  get legend(): KeyLegend {
    return this.#packing.legend;
  }

  /** Adds the texts that packed entries refer to. The table must be empty. */
  readLegend(legend: KeyLegend): void {
    this.#packing.readLegend(legend);
  }

  /**
   * Packs entries from the first key at or above a text, for a table with the same legend.
   *
   * @param max Largest size in bytes, unless one leaf is larger.
   * @returns the bytes, and the key at which the next ones begin; undefined after the last
   */
  pack(
    text: string,
    max: number,
  ): { readonly data: Uint8Array<ArrayBuffer>; readonly next: string | undefined } {
    const { leaves } = this.#row;
    const pieces: Leaf[] = [];
    let bytes = 0;
    let next: string | undefined;
    let { at, i } = this.#row.find(text);
    for (let leaf = leaves[at]; leaf !== undefined; leaf = leaves[++at], i = 0) {
      if (i === leaf.count) continue;
      const piece = new Leaf();
      piece.append(leaf, i, leaf.count);
      if (pieces.length > 0 && bytes + piece.packed > max) {
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

  /** Returns an entry somewhere in the table: 0 is its beginning, 1 its end. Undefined if it is empty. */
  pick(place: number): { readonly key: ObjectKey; readonly sequence: number } | undefined {
    const { leaves } = this.#row;
    const at = Math.min(place, 1) * leaves.length;
    const leaf = leaves[Math.min(Math.floor(at), leaves.length - 1)];
    if (leaf === undefined) return undefined;
    const i = Math.min(Math.floor((at % 1) * leaf.count), leaf.count - 1);
    return { key: leaf.key(i), sequence: sequenceAt(leaf, i) };
  }

  /**
   * Appends packed entries, which come after all others.
   *
   * @param max Bytes of memory that the table may take.
   * @param texts What keys may be; those of objects by default.
   * @returns false if it would take more, or for bytes that {@linkcode pack} cannot have made
   */
  unpack(data: Uint8Array, max = Infinity, { maxBytes, isText }: PackedTexts = KEYS): boolean {
    for (let at = 0; at < data.length;) {
      const leaf = Leaf.unpack(data.subarray(at), this.#packing.traits, maxBytes);
      if (leaf === undefined) return false;
      at += leaf.packed;
      if (isText !== undefined) {
        for (let i = 0; i < leaf.count; i++) if (!isText(leaf.key(i))) return false;
      }
      if (this.bytes + leaf.bytes > max) return false;
      if (!this.#row.append(leaf)) return false;
      this.#size += leaf.count;
    }
    return true;
  }
}
