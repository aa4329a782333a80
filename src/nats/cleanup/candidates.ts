/**
 * The chunk groups and records that a sweep judges, in little memory: a hash of each id and a few bits.
 *
 * A candidate is an orphan unless a name strikes it out. If two ids have the same hash, a name of one keeps the other too,
 * so a collision never frees what something names.
 * @module
 */

import type { StoreName } from "../layout/names.ts";
import type { RecordKind } from "../layout/subjects.ts";
import { hashOf, IdSet } from "./id_set.ts";
import { identify } from "./identity.ts";

/** The part of the ids that one sweep of a huge bucket judges. */
export type Share = { readonly index: number; readonly count: number };

/** What becomes of a subject. */
export type Verdict =
  | "kept"
  | "orphan"
  /** Chunks of a part of a current object. The chunk map tells whether the object uses them. */
  | "doubtful"
  /** Chunks that no gateway wrote and no object info names. They are kept. */
  | "foreign";

/** Object info names the id. */
const NAMED = 1;
/** A record names the id: an open upload, a lease, trash, the saved index. */
const HELD = 2;
/** The object has more attempts at parts than parts, or an unknown number of parts. */
const DOUBTFUL = 4;
/** There is a record that object info alone does not keep. */
const HAS_RECORD = 8;
/** The id is that of one attempt at a part. */
const ATTEMPT = 16;
/** No gateway wrote it. */
const FOREIGN = 32;
/** The other bits count the attempts at parts of a nuid. */
const ONE_ATTEMPT = 64;

/** Candidates, by the id that names keep them under. */
export class Candidates {
  readonly #store: StoreName;
  readonly #share: Share;
  readonly #ids = new IdSet();

  constructor(store: StoreName, share: Share) {
    this.#store = store;
    this.#share = share;
  }

  /** Number of ids. */
  get size(): number {
    return this.#ids.size;
  }

  /**
   * Adds the chunks or the record of a subject, unless the sweep leaves such subjects alone.
   *
   * @returns the kind of a record that this gateway cannot read
   */
  add(subject: string): RecordKind | undefined {
    const found = identify(this.#store, subject);
    if (found === undefined) return undefined;
    if (found.kind === "unreadable") return found.record;
    const hash = hashOf(found.id);
    if (hash % this.#share.count !== this.#share.index) return undefined;
    if (found.kind === "foreign") {
      this.#note(hash, FOREIGN);
      return undefined;
    }
    const isNewAttempt = found.attempt !== undefined &&
      this.#note(hashOf(found.attempt), ATTEMPT);
    this.#note(hash, found.needsHolder ? HAS_RECORD : 0);
    if (!isNewAttempt) return undefined;
    const slot = this.#ids.find(hash) ?? 0;
    this.#ids.write(slot, this.#ids.read(slot) + ONE_ATTEMPT);
    return undefined;
  }

  /**
   * Strikes out what object info names.
   *
   * @param hash Of the name, see `hashOf()`.
   * @param parts Number of parts of the object; undefined if it is unknown.
   */
  named(hash: number, parts: number | undefined): void {
    const slot = this.#ids.find(hash);
    if (slot === undefined) return;
    const notes = this.#ids.read(slot);
    const isDoubtful = notes >= ONE_ATTEMPT * ((parts ?? 0) + 1);
    this.#ids.write(slot, notes | NAMED | (isDoubtful ? DOUBTFUL : 0));
  }

  /** Strikes out what a record keeps. */
  held(id: string): void {
    const slot = this.#ids.find(hashOf(id));
    if (slot !== undefined) this.#ids.write(slot, this.#ids.read(slot) | HELD);
  }

  /** Tells whether any subject may be something else than kept. */
  get hasRest(): boolean {
    return this.#ids.some((notes) => {
      if ((notes & (HELD | ATTEMPT)) !== 0) return false;
      return (notes & NAMED) === 0 || (notes & (DOUBTFUL | HAS_RECORD)) !== 0;
    });
  }

  /** Judges a subject once all names are known. A subject that was not added is kept. */
  judge(subject: string): Verdict {
    const found = identify(this.#store, subject);
    if (found === undefined || found.kind === "unreadable") return "kept";
    const notes = this.#read(found.id);
    if (found.kind === "foreign") {
      return notes === undefined || (notes & NAMED) !== 0 ? "kept" : "foreign";
    }
    if (notes === undefined || (notes & HELD) !== 0) return "kept";
    if (found.needsHolder) return "orphan";
    if (found.attempt === undefined) return (notes & NAMED) === 0 ? "orphan" : "kept";
    const ofAttempt = this.#read(found.attempt);
    // A native client may name a group by a text that has the form of an attempt.
    if (ofAttempt === undefined || (ofAttempt & NAMED) !== 0) return "kept";
    if ((notes & NAMED) === 0) return "orphan";
    return (notes & DOUBTFUL) === 0 ? "kept" : "doubtful";
  }

  #read(id: string): number | undefined {
    const slot = this.#ids.find(hashOf(id));
    return slot === undefined ? undefined : this.#ids.read(slot);
  }

  /** Adds an id with some notes. Returns whether it is new. */
  #note(hash: number, notes: number): boolean {
    const { slot, isNew } = this.#ids.add(hash);
    this.#ids.write(slot, this.#ids.read(slot) | notes);
    return isNew;
  }
}
