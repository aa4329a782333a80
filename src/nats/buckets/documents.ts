/**
 * Bucket documents: small records that describe a bucket, each on its subject `S3.bucket.<document>`.
 *
 * Documents are kept for a second. Then one small request at the leader reads `S3.bucket.rev`, which every write of a
 * document also writes, and if it has not changed, all documents of the bucket are good for another second. So a bucket in
 * use costs one request per second, however many documents it has.
 *
 * A bucket that was deleted and created again is another bucket, because its stream has another creation time. A gateway that
 * does not know of the new stream yet learns from the revision: CreateBucket writes one with the owner, and a revision is told
 * by the time at which it was stored, because a new stream counts from 1 again. The first reading compares that time with
 * the stream's last message, which was stored before the documents were read.
 *
 * A server that lost its last changes in a power failure may have the revision of before. So what is kept is dropped as well
 * if one of its records is newer than the revision: each write of a document stores the revision after it.
 *
 * A bucket without a revision, which a native client made or which was full, costs a request per second for each document
 * in use.
 *
 * Only readable documents are kept. That there is none is kept too, except for the owner: older gateways write it without
 * a revision, so a reader that kept its absence would not learn of it.
 *
 * To add a document, add its name to `DOCUMENT_KINDS` in `store/documents.ts` and a row to {@linkcode DOCUMENTS}.
 * @module
 */

import { BoundedCache } from "../../collections/bounded_cache.ts";
import { monotonic } from "../../world/world.ts";
import { textOf } from "../jetstream/messages.ts";
import type { Requests } from "../jetstream/requests.ts";
import { type Parsed, parseDocument, parseOwner } from "../layout/bucket_documents.ts";
import { type StoreName, streamOf } from "../layout/names.ts";
import { records } from "../layout/subjects.ts";

/** The documents by name, each with a parser that never throws. */
const DOCUMENTS = {
  /** The owner; undefined if the record names none. */
  owner: { parse: parseOwner },
  cors: { parse: parseDocument },
  website: { parse: parseDocument },
  tagging: { parse: parseDocument },
  requestPayment: { parse: parseDocument },
  accelerate: { parse: parseDocument },
  logging: { parse: parseDocument },
  policy: { parse: parseDocument },
  publicAccessBlock: { parse: parseDocument },
  versioning: { parse: parseDocument },
  objectLock: { parse: parseDocument },
  lifecycle: { parse: parseDocument },
  lifecycleRun: { parse: parseDocument },
} as const satisfies Readonly<
  Record<string, { readonly parse: (text: string) => Parsed<unknown> }>
>;

/** Name of a document. */
export type DocumentName = keyof typeof DOCUMENTS;
/** A parsed document. */
export type Document<Name extends DocumentName> = ReturnType<(typeof DOCUMENTS)[Name]["parse"]>;

/** A bucket whose documents are read. */
export type DocumentedBucket = {
  readonly store: StoreName;
  /** When its stream was created. */
  readonly created: Date;
  /** When a message of its stream was stored before the documents are read, see `stampOf()`; "0" if that is not known. */
  readonly lastStamp: string;
};

/** Documents that were read since a revision. */
type Kept = {
  readonly documents: Map<DocumentName, Document<DocumentName>>;
  /** When the newest of their records was stored, in JetStream's time; 0 if there is none. */
  newest: bigint;
};

/** Documents of a bucket. */
type Known = {
  readonly created: number;
  kept: Kept;
  /** When the revision was stored, 0 for none; undefined until it is first read. */
  revision: bigint | undefined;
  /** The documents include every revision up to this time of JetStream's. */
  readonly since: bigint;
  /** When they were last known to be current, in monotonic time. */
  at: number;
  renewal: { readonly at: number; readonly done: Promise<void> } | undefined;
};

/** Stands for a document that does not exist. */
const NONE = { kind: "value", value: undefined } as const;
/** Milliseconds for which documents may be used after the revision was read. */
export const DOCUMENT_LEASE = 1000;
/** Number of buckets whose documents are kept. */
const MAX_BUCKETS = 10_000;

/** Reads documents at the leader, and keeps them while they are current. */
export class Documents {
  readonly #requests: Requests;
  readonly #buckets = new BoundedCache<Known>(MAX_BUCKETS);

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Returns a document that was current at most a second ago; undefined if there is none. */
  async read<Name extends DocumentName>(
    bucket: DocumentedBucket,
    name: Name,
  ): Promise<Document<Name> | undefined> {
    const known = this.#find(bucket);
    if (known !== undefined && monotonic() - known.at >= DOCUMENT_LEASE) {
      await this.#renew(bucket, known);
    }
    // A renewal that finds a change replaces what is kept, so this read cannot put an old document into the new map.
    const kept: Kept = known?.kept ?? { documents: new Map(), newest: 0n };
    const present = kept.documents.get(name);
    if (present !== undefined) return present as Document<Name>;
    const at = monotonic();
    const { document, stamp } = await this.readRecord(bucket.store, name);
    if (document?.kind === "unreadable" || document === undefined && name === "owner") {
      return document;
    }
    kept.documents.set(name, document ?? NONE);
    if (BigInt(stamp) > kept.newest) kept.newest = BigInt(stamp);
    if (known === undefined) {
      const { store, created, lastStamp } = bucket;
      const since = BigInt(lastStamp);
      const fresh = { created: created.getTime(), kept, revision: undefined, since, at };
      this.#buckets.set(store, { ...fresh, renewal: undefined }, 1);
    }
    return document;
  }

  /** Returns a document that is kept and current, without waiting; undefined if it must be read. */
  current<Name extends DocumentName>(
    bucket: Pick<DocumentedBucket, "store" | "created">,
    name: Name,
  ): Document<Name> | typeof NONE | undefined {
    const known = this.#find(bucket);
    if (known === undefined || monotonic() - known.at >= DOCUMENT_LEASE) return undefined;
    return known.kept.documents.get(name) as Document<Name> | typeof NONE | undefined;
  }

  /** Returns a document as it is now; undefined if there is none. */
  async readNow<Name extends DocumentName>(
    store: StoreName,
    name: Name,
  ): Promise<Document<Name> | undefined> {
    return (await this.readRecord(store, name)).document;
  }

  /** Returns a document as it is now, if there is one, and the sequence and the stamp of its record: 0 for none. */
  async readRecord<Name extends DocumentName>(
    store: StoreName,
    name: Name,
  ): Promise<
    {
      readonly document: Document<Name> | undefined;
      readonly sequence: number;
      readonly stamp: string;
    }
  > {
    const record = await this.#requests.leaderGet(streamOf(store), {
      last_by_subj: records.bucket(store, name),
    });
    const document = record && DOCUMENTS[name].parse(textOf(record.data)) as Document<Name>;
    return { document, sequence: record?.sequence ?? 0, stamp: record?.stamp ?? "0" };
  }

  /** Forgets the documents of a bucket, because this gateway has changed one. */
  forget(store: StoreName): void {
    this.#buckets.delete(store);
  }

  #find({ store, created }: Pick<DocumentedBucket, "store" | "created">): Known | undefined {
    const known = this.#buckets.get(store);
    return known?.created === created.getTime() ? known : undefined;
  }

  /** Reads the revision and drops the documents if it changed. Callers share a renewal that began within the lease. */
  async #renew({ store }: DocumentedBucket, known: Known): Promise<void> {
    const at = monotonic();
    if (known.renewal === undefined || at - known.renewal.at >= DOCUMENT_LEASE) {
      const renewal = { at, done: this.#readRevision(store, known, at) };
      known.renewal = renewal;
      const end = (): void => {
        if (known.renewal === renewal) known.renewal = undefined;
      };
      renewal.done.then(end, end);
    }
    await known.renewal.done;
  }

  async #readRevision(store: StoreName, known: Known, at: number): Promise<void> {
    const record = await this.#requests.leaderGet(streamOf(store), {
      last_by_subj: records.bucket(store, "rev"),
    });
    const revision = BigInt(record?.stamp ?? 0);
    // Without a revision nothing tells of a change: documents that are deleted in a full bucket take it away.
    // A revision that is older than a document is what a server still had that lost its last changes.
    const isSame = revision > 0n && revision >= known.kept.newest &&
      (known.revision === undefined ? revision <= known.since : revision === known.revision);
    if (!isSame) known.kept = { documents: new Map(), newest: 0n };
    known.revision = revision;
    known.at = Math.max(known.at, at);
  }
}
