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
  /** Called with all that is due, one after another; resolves to whether it is gone. */
  readonly visit: (due: Due) => Promise<boolean>;
  /** Runs each request of the walk itself. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
};

/** The key whose versions arrive. */
type KeyState = {
  readonly latest: ListedVersion;
  /** The version before the next one that arrives. */
  previous: ListedVersion;
  /** Noncurrent versions so far, and those of them that stay. */
  noncurrent: number;
  left: number;
};

/** Judges versions in the order of a listing. */
export class KeyJudge {
  readonly #store: WalkedStore;
  readonly #bucket: BucketName;
  readonly #options: WalkOptions;
  readonly #needsTags: boolean;
  #state: KeyState | undefined;
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
      await this.end();
      this.#state = { latest: version, previous: version, noncurrent: 0, left: 0 };
      return;
    }
    const { rules, now, day, visit } = this.#options;
    const since = state.previous.modified;
    const expiry = await this.#dueOf(version, (tags) => {
      const place = { since, newer: state.noncurrent };
      return expiryOfNoncurrent(rules, { ...version, tags }, place, day);
    }, now);
    state.previous = version;
    state.noncurrent++;
    const { key, versionId } = version;
    const precondition = conditionOf(state.latest);
    const isGone = expiry !== undefined &&
      await visit({ kind: "version", key, versionId, precondition, expiry });
    if (!isGone) state.left++;
  }

  /** Judges the current version of the key, when all others of it have been. */
  async end(): Promise<void> {
    const state = this.#state;
    if (state === undefined) return;
    this.#state = undefined;
    const { latest, left } = state;
    const { rules, now, day, visit } = this.#options;
    const { key, versionId, modified, isMarker } = latest;
    const precondition = conditionOf(latest);
    if (!isMarker) {
      const expiry = await this.#dueOf(latest, (tags) => {
        return expiryOfObject(rules, { ...latest, tags }, modified, day);
      }, now);
      if (expiry !== undefined) await visit({ kind: "object", key, precondition, expiry });
    } else if (left === 0) { // else an older version would come back
      const expiry = expiryOfMarker(rules, key, modified, day);
      if (expiry !== undefined && expiry.at <= now) {
        await visit({ kind: "marker", key, versionId, precondition, expiry });
      }
    }
    this.#passed = key;
  }

  /** Returns the expiry of a version if it is due. Its tags are read only if it would be due with any. */
  async #dueOf(
    { key, versionId, isMarker }: ListedVersion,
    expiryOf: (tags: TagSet | undefined) => Expiry | undefined,
    now: Date,
  ): Promise<Expiry | undefined> {
    const isKnown = isMarker || !this.#needsTags;
    const expiry = expiryOf(isKnown ? new Map() : undefined);
    if (expiry === undefined || expiry.at > now || isKnown) {
      return expiry !== undefined && expiry.at <= now ? expiry : undefined;
    }
    try {
      const { turn } = this.#options;
      const { properties } = await turn(() =>
        this.#store.readObject(this.#bucket, key, { versionId })
      );
      const found = expiryOf(new Map(Object.entries(properties.tags)));
      return found !== undefined && found.at <= now ? found : undefined;
    } catch (cause) {
      if (isS3Error(cause, "NoSuchKey", "NoSuchVersion", "MethodNotAllowed")) return undefined;
      throw cause;
    }
  }
}

function conditionOf({ isMarker, etag, size, modified }: ListedVersion): WritePrecondition {
  if (isMarker) return { ifNoneMatch: "*" };
  return { ifMatch: etag, ifMatchSize: size, ifMatchModified: modified };
}
