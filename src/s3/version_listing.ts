/**
 * Listing over sorted versions: prefix, delimiter, common prefixes, pages that may end between two versions of a key.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 * @module
 */

import { S3Error } from "./errors.ts";
import { compareUtf8 } from "./key_order.ts";
import { isWholeGroup, type PageQuery, seekAfter, walkPage } from "./listing.ts";
import {
  formatOrdinal,
  NULL_VERSION,
  ordinalOf,
  parseOrdinal,
  readVersionId,
  type VersionId,
} from "./version_id.ts";

/** The fields of a version that decide its place in a listing. */
export type VersionOrder = {
  readonly key: string;
  readonly versionId: VersionId;
  /**
   * Decreases along the versions of a key. It is what the version id or the object info states; `Infinity` for a current
   * version that states none, which comes first.
   */
  readonly ordinal: number;
};

/** Versions by key in the order of UTF-8 bytes, then by ordinal, highest first. */
export interface SortedVersions<Entry extends VersionOrder> {
  /**
   * Iterates in order, from the first version at or above this key.
   *
   * @param below Leaves out the versions of exactly this key whose ordinals are not below it; undefined for none.
   */
  from(key: string, below?: number): Iterator<Entry>;
  /** Returns the ordinal at which the version `null` of a key is listed; undefined if the key has none. */
  nullOrdinal(key: string): number | undefined;
}

/** The query for one page of versions. */
export type VersionPageQuery = Omit<PageQuery, "after"> & {
  /** Keys and common prefixes come after this text, apart from the versions that `afterVersion` leaves. */
  readonly afterKey: string;
  /** Versions of the key `afterKey` that are older than this one come as well. A text as in {@linkcode formatVersionMarker}. */
  readonly afterVersion: string | undefined;
};

/**
 * Returns the position of a version among those of its key: its id, or `null` with its ordinal before it, if it has one.
 * Thus a page resumes at the same place after the version `null` was replaced.
 */
export function formatVersionMarker({ versionId, ordinal }: Omit<VersionOrder, "key">): string {
  const isStated = ordinal > 0 && ordinal < Infinity;
  return versionId === NULL_VERSION && isStated ? formatOrdinal(ordinal) + NULL_VERSION : versionId;
}

/**
 * Parses a position among the versions of a key: a version id, or what {@linkcode formatVersionMarker} returned.
 *
 * @returns An ordinal, or `null` for the place where the version `null` is now.
 * @throws S3Error `InvalidArgument`
 */
export function parseVersionMarker(text: string): number | null {
  const id = readVersionId(text);
  if (id === NULL_VERSION) return null;
  const isNull = text.length === 10 + NULL_VERSION.length && text.endsWith(NULL_VERSION);
  const ordinal = id !== undefined ? ordinalOf(id) : isNull ? parseOrdinal(text) : undefined;
  if (ordinal !== undefined) return ordinal;
  throw new S3Error(
    "InvalidArgument",
    { ArgumentName: "version-id-marker", ArgumentValue: text },
    { message: "Invalid version id specified" },
  );
}

/**
 * Returns one page of versions. As on AWS, a `limit` of 0 yields an empty page that is not truncated. If the position is
 * the version `null` and that is gone, the page begins with the first version of its key: a client may see a version twice
 * but never misses one.
 *
 * @returns `next` is the position of the next page; undefined on the last page. It has no version after a common prefix.
 * @throws S3Error `InvalidArgument` for an `afterVersion` that is no position
 */
export function listVersionPage<Entry extends VersionOrder>(
  index: SortedVersions<Entry>,
  query: VersionPageQuery,
): {
  readonly entries: readonly Entry[];
  readonly commonPrefixes: readonly string[];
  readonly next: { readonly key: string; readonly version: string | undefined } | undefined;
} {
  const start = query.limit <= 0 ? undefined : startOf(index, query);
  const { entries, commonPrefixes, last } = walkPage(start, (text) => index.from(text), query);
  const next = typeof last === "object"
    ? { key: last.key, version: formatVersionMarker(last) }
    : last === undefined
    ? undefined
    : { key: last, version: undefined };
  return { entries, commonPrefixes, next };
}

/** Returns the versions from the beginning of a page; undefined if none can follow. */
function startOf<Entry extends VersionOrder>(
  index: SortedVersions<Entry>,
  { prefix, delimiter, afterKey, afterVersion }: VersionPageQuery,
): Iterator<Entry> | undefined {
  const position = afterVersion === undefined ? undefined : parseVersionMarker(afterVersion);
  const isWithinKey = afterKey !== "" && position !== undefined &&
    compareUtf8(afterKey, prefix) >= 0 && !isWholeGroup(afterKey, prefix, delimiter);
  if (isWithinKey) return index.from(afterKey, position ?? index.nullOrdinal(afterKey));
  const seek = seekAfter(prefix, delimiter, afterKey);
  return seek === undefined ? undefined : index.from(seek);
}
