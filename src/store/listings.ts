/**
 * The part of a store that lists objects.
 * @module
 */

import type { Checksum } from "../s3/checksum_algorithms.ts";
import type { BucketName } from "../s3/names.ts";
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

/** Listings of objects. */
export interface Listings {
  /** @throws S3Error `NoSuchBucket` */
  listObjects(bucket: BucketName, query: ListQuery): Promise<ListPage>;
}
