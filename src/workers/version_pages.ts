/**
 * Walks through the versions of a prefix of keys, or of one key.
 * @module
 */

import type { BucketName } from "../s3/names.ts";
import type { ListedVersion, Listings, VersionPage } from "../store/listings.ts";

/** Versions of one page. */
const PAGE = 1000;

/** Yields the versions and delete markers, page by page. */
export async function* versionPages(
  store: Pick<Listings, "listVersions">,
  bucket: BucketName,
  /** `text` is a prefix of keys, or one key. */
  { text, isExact }: { readonly text: string; readonly isExact: boolean },
): AsyncGenerator<readonly ListedVersion[]> {
  let from: VersionPage["next"] = { key: "", version: undefined };
  while (from !== undefined) {
    const page: VersionPage = await store.listVersions(bucket, {
      prefix: text,
      delimiter: "",
      afterKey: from.key,
      afterVersion: from.version,
      limit: PAGE,
    });
    const own = isExact ? page.versions.filter(({ key }) => key === text) : page.versions;
    yield own;
    // A key sorts before those that begin with it.
    from = own.length < page.versions.length ? undefined : page.next;
  }
}
