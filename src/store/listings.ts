/**
 * The part of a store that lists objects.
 * @module
 */

import type { Checksum } from "../s3/checksum_algorithms.ts";
import type { BucketName } from "../s3/names.ts";
import type { VersionId } from "../s3/version_id.ts";
import type { ObjectInfo } from "./objects.ts";

/** The keys that a listing selects, and where its page begins. */
export type ListQuery = {
  readonly prefix: string;
  /** "" for none. */
  readonly delimiter: string;
  /** Keys and common prefixes come after this text, in the order of UTF-8 bytes; "" for the beginning. */
  readonly after: string;
  /** Maximum of keys and common prefixes together; 0 yields an empty page that is not truncated. */
  readonly limit: number;
};

/** An object as a listing shows it. */
export type ListedObject =
  & Pick<
    ObjectInfo,
    "key" | "size" | "etag" | "modified" | "owner"
  >
  & {
    /** The kind of the object's checksum, without its value. */
    readonly checksum: Pick<Checksum, "algorithm" | "type"> | undefined;
    readonly storageClass: string | undefined;
  };

/** A page of a listing, in the order of UTF-8 bytes. */
export type ListPage = {
  readonly objects: readonly ListedObject[];
  readonly commonPrefixes: readonly string[];
  /** The `after` of the next page; undefined on the last page. */
  readonly next: string | undefined;
};

/** The versions that a listing selects, and where its page begins. */
export type VersionQuery = Pick<ListQuery, "prefix" | "delimiter" | "limit"> & {
  /** Keys and common prefixes come after this text, apart from the versions that `afterVersion` leaves; "" for the beginning. */
  readonly afterKey: string;
  /**
   * Versions of the key `afterKey` that are older than this one come as well: a version id, or the mark that
   * {@linkcode VersionPage.next} has for the version `null`. Undefined for none.
   */
  readonly afterVersion: string | undefined;
};

/** A version as a listing shows it. A delete marker has size 0 and an empty ETag. */
export type ListedVersion = ListedObject & {
  readonly versionId: VersionId;
  readonly isLatest: boolean;
  readonly isMarker: boolean;
};

/** A page of versions: by key in the order of UTF-8 bytes, then the latest first. */
export type VersionPage = {
  readonly versions: readonly ListedVersion[];
  readonly commonPrefixes: readonly string[];
  /** The position of the next page; undefined on the last page. Without a version, it comes after the text as a whole. */
  readonly next: { readonly key: string; readonly version: string | undefined } | undefined;
};

/** Listings of objects and their versions. Every method throws `NoSuchBucket` if the bucket is missing. */
export interface Listings {
  listObjects(bucket: BucketName, query: ListQuery): Promise<ListPage>;
  /** Lists versions and delete markers. In a bucket without versioning, each object is the version `null` of its key. */
  listVersions(bucket: BucketName, query: VersionQuery): Promise<VersionPage>;
}
