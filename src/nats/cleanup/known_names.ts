/**
 * The names in the object info of buckets with large objects, as this gateway's sweeps have read them.
 *
 * nats-server reads 8 MiB of a stream's file for each message of object info, because it stands between chunks. So a sweep
 * of such a bucket first reads only what changed since the last one. What is known here only tells that a group is kept:
 * a sweep that finds orphans reads all object info again before it purges any.
 * @module
 */

import type { BucketName, ObjectKey } from "../../s3/names.ts";
import { monotonic } from "../../world/world.ts";
import type { StreamReading } from "../buckets/streams.ts";
import type { Delivery } from "../jetstream/messages.ts";
import { keyOfSubject } from "../layout/subjects.ts";
import type { Candidates } from "./candidates.ts";
import { hashOf } from "./id_set.ts";
import { type InfoName, nameIn } from "./identity.ts";
import type { InfoPosition } from "./read_infos.ts";

/** Number of names that are kept for all buckets together; a name takes about 50 bytes. */
const MAX_NAMES = 500_000;
/** Milliseconds after which all object info of a bucket is read again: some goes without a message. */
const LIFETIME = 24 * 60 * 60 * 1000;

/** The names in one bucket's object info. */
export class KnownNames {
  /** Hash of a name by the hash of the subject of the object info. */
  readonly #names = new Map<number, number>();
  /** Number of parts, where the object info has one, by the hash of the name. */
  readonly #parts = new Map<number, number>();
  readonly #inParts = new Map<number, ObjectKey>();
  readonly #created: number;
  readonly #begun = monotonic();
  /** How far object info has been read. */
  end: InfoPosition = { position: 0 };

  constructor({ created }: StreamReading) {
    this.#created = created.getTime();
  }

  /** Number of names. */
  get size(): number {
    return this.#names.size;
  }

  /** Objects that native clients cannot read because they are in parts. */
  get inParts(): Iterable<ObjectKey> {
    return this.#inParts.values();
  }

  /** Tells whether a stream is the one that the names are of, and whether they are young enough. */
  areOf({ created, lastSequence }: StreamReading): boolean {
    return created.getTime() === this.#created && this.end.position <= lastSequence &&
      monotonic() - this.#begun < LIFETIME;
  }

  /** Notes what a message of object info names, and returns it. */
  note(stream: StreamReading, { subject, data }: Delivery): InfoName | undefined {
    const found = nameIn(data);
    const at = hashOf(subject);
    this.#inParts.delete(at);
    if (found === undefined) {
      this.#names.delete(at);
      return undefined;
    }
    const hash = hashOf(found.name);
    this.#names.set(at, hash);
    if (found.parts === undefined) this.#parts.delete(hash);
    else this.#parts.set(hash, found.parts);
    const key = found.isInParts ? keyOfSubject(stream.store, subject) : undefined;
    if (key !== undefined) this.#inParts.set(at, key);
    return found;
  }

  /** Strikes out what the names keep. */
  strike(candidates: Candidates): void {
    for (const hash of this.#names.values()) candidates.named(hash, this.#parts.get(hash));
  }
}

/** The names in the buckets that this gateway sweeps. */
export class NameMemory {
  readonly #buckets = new Map<BucketName, KnownNames>();

  /** Takes the names in a bucket out of the memory; returns undefined if there are none, or they are of no use. */
  take(stream: StreamReading): KnownNames | undefined {
    const names = this.#buckets.get(stream.bucket);
    this.#buckets.delete(stream.bucket);
    return names?.areOf(stream) === true ? names : undefined;
  }

  /** Keeps the names in a bucket, at the cost of those that were kept longest. */
  keep(bucket: BucketName, names: KnownNames): void {
    this.#buckets.set(bucket, names);
    let size = 0;
    for (const { size: one } of this.#buckets.values()) size += one;
    for (const [oldest, { size: one }] of this.#buckets) {
      if (size <= MAX_NAMES) return;
      this.#buckets.delete(oldest);
      size -= one;
    }
  }
}
