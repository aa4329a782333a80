/**
 * Walks through the versions of a bucket, key by key, and finds which version of each was current at a time.
 * @module
 */

import { AsOfSearch } from "../s3/as_of.ts";
import type { BucketName } from "../s3/names.ts";
import type { ListedVersion, Listings } from "../store/listings.ts";
import { versionPages } from "./version_pages.ts";

/** The keys and the time. */
export type HistoriesQuery = {
  readonly time: Date;
  /** A prefix of keys, or one key. */
  readonly text: string;
  readonly isExact: boolean;
};

/** The version of a key that is current, and what it was. */
export type KeyHistory = {
  readonly latest: ListedVersion;
  readonly search: AsOfSearch;
  /** The version that is the result of the search, if it is an object. */
  found: ListedVersion | undefined;
};

/** Yields the keys, page by page, each when all its versions were seen. */
export async function* historiesOf(
  store: Pick<Listings, "listVersions">,
  bucket: BucketName,
  { text, isExact, time }: HistoriesQuery,
): AsyncGenerator<readonly KeyHistory[]> {
  let open: KeyHistory | undefined;
  for await (const versions of versionPages(store, bucket, { text, isExact })) {
    const ended: KeyHistory[] = [];
    for (const version of versions) {
      if (open === undefined || open.latest.key !== version.key) {
        if (open !== undefined) ended.push(open);
        open = { latest: version, search: new AsOfSearch(time), found: undefined };
      }
      const { search } = open;
      if (search.isFound) continue;
      search.add(version);
      if (search.isFound) open.found = version;
    }
    yield ended;
  }
  if (open !== undefined) yield [open];
}
