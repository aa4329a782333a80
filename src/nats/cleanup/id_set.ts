/**
 * A set of ids in packed memory: 12 bytes a slot, two slots of three in use, whatever the length of the ids.
 *
 * It keeps a hash of 53 bits of each id. Two ids with the same hash count as one, so a caller must be safe if an id has
 * the notes of another one.
 * @module
 */

/** Number of slots at first; a power of two. */
const FIRST_CAPACITY = 1024;

/** Ids, each with notes: a number of 32 bits that the caller gives a meaning. */
export class IdSet {
  /** Hash of each id; 0 for a free slot. */
  #hashes = new Float64Array(FIRST_CAPACITY);
  #notes = new Uint32Array(FIRST_CAPACITY);
  #size = 0;

  /** Number of ids. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds an id without notes, unless it is known.
   *
   * @returns its slot, valid until the next call
   */
  add(hash: number): { readonly slot: number; readonly isNew: boolean } {
    if (this.#size * 3 >= this.#hashes.length * 2) this.#grow();
    const slot = this.#slotOf(hash);
    if (this.#hashes[slot] === hash) return { slot, isNew: false };
    this.#hashes[slot] = hash;
    this.#size++;
    return { slot, isNew: true };
  }

  /** Returns the slot of an id, valid until one is added; undefined if it is unknown. */
  find(hash: number): number | undefined {
    const slot = this.#slotOf(hash);
    return this.#hashes[slot] === hash ? slot : undefined;
  }

  /** Returns the notes in a slot. */
  read(slot: number): number {
    return this.#notes[slot] ?? 0;
  }

  /** Replaces the notes in a slot. */
  write(slot: number, notes: number): void {
    this.#notes[slot] = notes;
  }

  /** Tells whether the notes of any id pass a test. */
  some(test: (notes: number) => boolean): boolean {
    for (let slot = 0; slot < this.#hashes.length; slot++) {
      if (this.#hashes[slot] !== 0 && test(this.#notes[slot] ?? 0)) return true;
    }
    return false;
  }

  /** Returns the slot of a hash, or the free slot where it belongs. */
  #slotOf(hash: number): number {
    const mask = this.#hashes.length - 1;
    let slot = hash & mask;
    for (; this.#hashes[slot] !== 0 && this.#hashes[slot] !== hash;) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [hashes, notes] = [this.#hashes, this.#notes];
    this.#hashes = new Float64Array(hashes.length * 2);
    this.#notes = new Uint32Array(hashes.length * 2);
    for (let i = 0; i < hashes.length; i++) {
      const hash = hashes[i] ?? 0;
      if (hash === 0) continue;
      const slot = this.#slotOf(hash);
      this.#hashes[slot] = hash;
      this.#notes[slot] = notes[i] ?? 0;
    }
  }
}

/**
 * Returns a hash of a text: an integer from 1 to 2^53 - 1.
 *
 * @example Usage
 * ```ts
 * import { hashOf } from "./id_set.ts";
 * import { notStrictEqual, strictEqual } from "node:assert/strict";
 *
 * strictEqual(hashOf("a"), hashOf("a"));
 * notStrictEqual(hashOf("a"), hashOf("b"));
 * ```
 */
export function hashOf(text: string): number {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return (2097151 & low) * 4294967296 + (high >>> 0) || 1;
}
