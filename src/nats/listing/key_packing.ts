/**
 * The columns of a leaf: the listed properties of an object, packed into numbers and bytes.
 *
 * Owners, storage classes and kinds of checksums, of which a bucket has few, are numbers that refer to a legend. An ETag is
 * 16 bytes and a suffix; the few that have another form are in the legend as texts.
 * @module
 */

import { Buffer } from "node:buffer";
import type { ChecksumAlgorithm, ChecksumType } from "../../s3/checksum_algorithms.ts";
import type { ListedObject } from "../../store/listings.ts";
import { DIGEST, type Leaf, NUMBERS, WORDS } from "./key_leaf.ts";

/** An entry: the listed properties of an object, and the message that they come from. */
export type KeyEntry = ListedObject & {
  /** Sequence of the object info in its stream. */
  readonly sequence: number;
  /** A number that objects of the same nuid share, see {@linkcode hashNuid}. */
  readonly nuid: number;
};

/** Properties that many entries have in common. */
type Traits = {
  readonly owner?: string | undefined;
  readonly storageClass?: string | undefined;
  readonly algorithm?: ChecksumAlgorithm | undefined;
  readonly type?: ChecksumType | undefined;
};

/** The texts that packed entries refer to, in a form that JSON keeps. */
export type KeyLegend = {
  readonly traits: readonly Traits[];
  /** ETags of another form, by key. */
  readonly oddETags: readonly (readonly [key: string, etag: string])[];
};

/**
 * Values of an ETag's suffix: the ETag has another form; it has no suffix; the number after its dash, plus this; there is no
 * ETag, as in a delete marker.
 */
const ODD = 0;
const NO_SUFFIX = 1;
const SUFFIX = 2;
const NO_ETAG = 0xffff_ffff;
/** Approximate bytes of memory of one text in the legend. */
const LEGEND_BYTES = 400;

/**
 * Returns a number for a nuid that distinguishes it from most others (FNV-1a).
 *
 * @example Usage
 * ```ts
 * import { hashNuid } from "./key_packing.ts";
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

/** Returns the sequence of an entry's message. */
export function sequenceAt({ numbers }: Leaf, i: number): number {
  return numbers[i * NUMBERS + 2] as number;
}

/** Returns the number of an entry's nuid. */
export function nuidAt({ words }: Leaf, i: number): number {
  return words[i * WORDS + 3] as number;
}

/** Packs entries into leaves and reads them back. It holds the legend. */
export class KeyPacking {
  /** Traits by their number, and numbers by the traits' text. */
  readonly #traits: Traits[] = [];
  readonly #numbers = new Map<string, number>();
  /** The number that was assigned last: neighbors in the stream usually have the same traits. */
  #lastNumber = -1;
  /** ETags that do not fit into a leaf, by key. */
  readonly #oddETags = new Map<string, string>();

  /** Approximate size in bytes of memory. */
  get bytes(): number {
    return (this.#oddETags.size + this.#traits.length) * LEGEND_BYTES;
  }

  /** Number of traits: packed entries refer to lower ones. */
  get traits(): number {
    return this.#traits.length;
  }

  /** The texts that packed entries refer to. */
  get legend(): KeyLegend {
    return { traits: this.#traits, oddETags: [...this.#oddETags] };
  }

  /** Adds the texts that packed entries refer to. The packing must not have been used before. */
  readLegend({ traits, oddETags }: KeyLegend): void {
    for (const own of traits) this.#numbers.set(textOfTraits(own), this.#traits.push(own) - 1);
    for (const [key, etag] of oddETags) this.#oddETags.set(key, etag);
  }

  /** Writes an entry's columns. The key's text is in the leaf already. */
  write({ numbers, words, digests }: Leaf, i: number, entry: KeyEntry): void {
    const { key, size, etag, modified, sequence, nuid } = entry;
    numbers[i * NUMBERS] = size;
    numbers[i * NUMBERS + 1] = modified.getTime();
    numbers[i * NUMBERS + 2] = sequence;
    const [, hex, suffix] = /^([0-9a-f]{32})(?:-(0|[1-9]\d{0,8}))?$/.exec(etag) ?? [];
    if (this.#oddETags.size > 0) this.#oddETags.delete(key);
    if (etag === "") {
      words[i * WORDS + 1] = NO_ETAG;
    } else if (hex === undefined) {
      words[i * WORDS + 1] = ODD;
      this.#oddETags.set(key, etag);
    } else {
      words[i * WORDS + 1] = suffix === undefined ? NO_SUFFIX : Number(suffix) + SUFFIX;
      writeHex(hex, digests, i * DIGEST);
    }
    words[i * WORDS + 2] = this.#numberOf(entry);
    words[i * WORDS + 3] = nuid;
  }

  /** Reads an entry. */
  read(leaf: Leaf, i: number): ListedObject {
    const { numbers, words, digests } = leaf;
    const key = leaf.key(i);
    const traits = this.#traits[words[i * WORDS + 2] as number] as Traits;
    const { owner, storageClass, algorithm, type } = traits;
    const suffix = words[i * WORDS + 1] as number;
    const hex = suffix === NO_ETAG
      ? ""
      : suffix === ODD
      ? this.#oddETags.get(key) ?? ""
      : Buffer.from(digests.buffer, i * DIGEST, DIGEST).toString("hex");
    const hasSuffix = suffix >= SUFFIX && suffix !== NO_ETAG;
    return {
      key,
      size: numbers[i * NUMBERS] as number,
      etag: hasSuffix ? `${hex}-${suffix - SUFFIX}` : hex,
      modified: new Date(numbers[i * NUMBERS + 1] as number),
      owner,
      checksum: algorithm === undefined || type === undefined ? undefined : { algorithm, type },
      storageClass,
    };
  }

  /** Drops the legend's text for a key, if there is one. */
  forget(key: string): void {
    this.#oddETags.delete(key);
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

function writeHex(hex: string, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < hex.length; i += 2) {
    bytes[at + i / 2] = digitOf(hex.charCodeAt(i)) << 4 | digitOf(hex.charCodeAt(i + 1));
  }
}

/** Returns the value of a lower-case hexadecimal digit. */
function digitOf(unit: number): number {
  return unit < 0x3a ? unit - 0x30 : unit - 0x57;
}
