/**
 * Judges the versions of keys by lifecycle rules.
 *
 * A version is removed only under a condition on the current version of its key, so that what somebody changes meanwhile
 * stays and is judged again.
 * @module
 */

import type { WritePrecondition } from "../s3/conditions.ts";
import { isS3Error } from "../s3/errors.ts";
import {
  type Expiry,
  expiryOfMarker,
  expiryOfNoncurrent,
  expiryOfObject,
  type LifecycleRule,
  needsTags,
} from "../s3/lifecycle.ts";
import type { BucketName, ObjectKey, UploadId } from "../s3/names.ts";
import type { TagSet } from "../s3/tags.ts";
import type { VersionId } from "../s3/version_id.ts";
import type { ListedVersion } from "../store/listings.ts";
import type { Store } from "../store/store.ts";
import { settled } from "./settled.ts";

/** The kinds of what goes: a current version, a noncurrent one, a delete marker that is the last of its key, an upload. */
export const DUE_KINDS = ["object", "version", "marker", "upload"] as const;
/** One of {@linkcode DUE_KINDS}. */
export type DueKind = typeof DUE_KINDS[number];

/** Something that a rule removes. */
export type Due = {
  readonly kind: DueKind;
  readonly key: ObjectKey;
  /** The version to remove for good; undefined for an object, which leaves a delete marker where versioning is on. */
  readonly versionId?: VersionId | undefined;
  readonly uploadId?: UploadId;
  /** Holds while the current version of the key is the one that was judged. */
  readonly precondition: WritePrecondition;
  readonly expiry: Expiry;
};

/** The part of a store that a walk reads. */
export type WalkedStore = Pick<
  Store,
  "listObjects" | "listVersions" | "listUploads" | "readDocument" | "readObject"
>;

/** How to walk. */
export type WalkOptions = {
  /** Those that are in force. */
  readonly rules: readonly LifecycleRule[];
  /** The store's time. */
  readonly now: Date;
  /** Milliseconds. */
  readonly day: number;
  /** Called with all that is due; resolves to whether it is gone. */
  readonly visit: (due: Due) => Promise<boolean>;
  /** Runs each request for a page. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Things that are judged and visited at a time. */
  readonly parallel: number;
  /** Runs each piece of work that judges and visits so many things at a time. */
  readonly batch: (count: number, work: () => Promise<unknown>) => Promise<unknown>;
};

/** A version that is due, or would be with some tags. */
type Candidate = {
  readonly kind: DueKind;
  readonly version: ListedVersion;
  readonly precondition: WritePrecondition;
  /** For good, not by a marker. */
  readonly isById: boolean;
  readonly expiryOf: (tags: TagSet | undefined) => Expiry | undefined;
};

/** A key whose versions arrive, or wait for their batch. */
type KeyState = {
  readonly latest: ListedVersion;
  /** The version before the next one that arrives. */
  previous: ListedVersion;
  /** Noncurrent versions so far, and those of them that stay. */
  noncurrent: number;
  left: number;
  /** Noncurrent versions that wait, and the current one, which goes after them. */
  waiting: Candidate[];
  last: Candidate | undefined;
};

/** Judges versions in the order of a listing, several at a time. */
export class KeyJudge {
  readonly #store: WalkedStore;
  readonly #bucket: BucketName;
  readonly #options: WalkOptions;
  readonly #needsTags: boolean;
  #state: KeyState | undefined;
  /** The keys of which something waits, and how much that is. */
  #batch: KeyState[] = [];
  #count = 0;
  #ended = "";
  #passed = "";

  constructor(store: WalkedStore, bucket: BucketName, options: WalkOptions) {
    this.#store = store;
    this.#bucket = bucket;
    this.#options = options;
    this.#needsTags = needsTags(options.rules);
  }

  /** The last key of which everything was judged; "" for none. */
  get passed(): string {
    return this.#passed;
  }

  async add(version: ListedVersion): Promise<void> {
    const state = this.#state;
    if (state?.latest.key !== version.key) {
      await this.#endKey();
      this.#state = {
        latest: version,
        previous: version,
        noncurrent: 0,
        left: 0,
        waiting: [],
        last: undefined,
      };
      return;
    }
    const { rules, day } = this.#options;
    const place = { since: state.previous.modified, newer: state.noncurrent };
    state.previous = version;
    state.noncurrent++;
    const candidate: Candidate = {
      kind: "version",
      version,
      precondition: conditionOf(state.latest),
      isById: true,
      expiryOf: (tags) => expiryOfNoncurrent(rules, { ...version, tags }, place, day),
    };
    if (this.#isPossible(candidate)) {
      state.waiting.push(candidate);
      await this.#wait(state);
    } else state.left++;
  }

  /** Judges what waits. */
  async flush(): Promise<void> {
    const [keys, count] = [this.#batch, this.#count];
    this.#batch = [];
    this.#count = 0;
    if (count > 0) {
      await this.#options.batch(count, () => settled(keys.map((key) => this.#judge(key))));
    }
    this.#passed = this.#ended;
  }

  /** Judges the rest, when no version is to come. */
  async end(): Promise<void> {
    await this.#endKey();
    await this.flush();
  }

  /** Takes leave of the key whose versions have all arrived. */
  async #endKey(): Promise<void> {
    const state = this.#state;
    if (state === undefined) return;
    this.#state = undefined;
    const { latest } = state;
    const { key, modified, isMarker } = latest;
    const { rules, day } = this.#options;
    const candidate: Candidate = {
      kind: isMarker ? "marker" : "object",
      version: latest,
      precondition: conditionOf(latest),
      isById: isMarker,
      expiryOf: isMarker
        ? () => expiryOfMarker(rules, key, modified, day)
        : (tags) => expiryOfObject(rules, { ...latest, tags }, modified, day),
    };
    this.#ended = key;
    if (!this.#isPossible(candidate)) return;
    state.last = candidate;
    await this.#wait(state);
  }

  /** Notes that one thing more of a key waits. */
  async #wait(state: KeyState): Promise<void> {
    if (this.#batch.at(-1) !== state) this.#batch.push(state);
    if (++this.#count >= this.#options.parallel) await this.flush();
  }

  /** Judges what waits of a key: noncurrent versions first. */
  async #judge(state: KeyState): Promise<void> {
    const { waiting, last } = state;
    state.waiting = [];
    const gone = await settled(waiting.map((candidate) => this.#visit(candidate)));
    state.left += gone.filter((isGone) => !isGone).length;
    if (last === undefined) return;
    if (last.kind === "marker" && state.left > 0) return; // an older version would come back
    await this.#visit(last);
  }

  async #visit(candidate: Candidate): Promise<boolean> {
    const { kind, version: { key, versionId }, precondition, isById } = candidate;
    const expiry = await this.#expiryOf(candidate);
    if (expiry === undefined || expiry.at > this.#options.now) return false;
    const { visit } = this.#options;
    return await visit({ kind, key, ...(isById && { versionId }), precondition, expiry });
  }

  /** Tells whether a version is due, or would be with some tags. */
  #isPossible({ version, expiryOf }: Candidate): boolean {
    const expiry = expiryOf(this.#hasKnownTags(version) ? NO_TAGS : undefined);
    return expiry !== undefined && expiry.at <= this.#options.now;
  }

  /** Returns when a version that may be due expires; reads its tags if rules ask for any. */
  async #expiryOf({ version, expiryOf }: Candidate): Promise<Expiry | undefined> {
    if (this.#hasKnownTags(version)) return expiryOf(NO_TAGS);
    const { key, versionId } = version;
    try {
      const { properties } = await this.#store.readObject(this.#bucket, key, { versionId });
      return expiryOf(new Map(Object.entries(properties.tags)));
    } catch (cause) {
      if (isS3Error(cause, "NoSuchKey", "NoSuchVersion", "MethodNotAllowed")) return undefined;
      throw cause;
    }
  }

  #hasKnownTags({ isMarker }: ListedVersion): boolean {
    return isMarker || !this.#needsTags;
  }
}

const NO_TAGS: TagSet = new Map();

function conditionOf({ isMarker, etag, size, modified }: ListedVersion): WritePrecondition {
  if (isMarker) return { ifNoneMatch: "*" };
  return { ifMatch: etag, ifMatchSize: size, ifMatchModified: modified };
}
