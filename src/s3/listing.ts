/**
 * Listing over sorted keys: prefix, delimiter, common prefixes, pages.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 *
 * A page walks the keys from a starting text. It seeks past keys that a delimiter hides and never scans them, so its
 * cost depends on the size of the page, not of the bucket.
 * @module
 */

import { afterPrefix, compareUtf8, type SortedKeys } from "./key_order.ts";

/** The query for one page of a listing. */
export type PageQuery = {
  readonly prefix: string;
  /** Any length; "" for none. */
  readonly delimiter: string;
  /** Keys and common prefixes come after this text; a common prefix is skipped when it *is* this text. */
  readonly after: string;
  /** Maximum of keys and common prefixes together. */
  readonly limit: number;
};

/** A page of entries. */
export type Page<Entry> = {
  readonly entries: readonly Entry[];
  readonly commonPrefixes: readonly string[];
  /** The page's last key or common prefix if more follow: the `after` of the next page. */
  readonly next: string | undefined;
};

/**
 * Returns the common prefix that a listing shows in place of a key, or undefined if it shows the key.
 *
 * @example Usage
 * ```ts
 * import { commonPrefix } from "./listing.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(commonPrefix("a/b/c", "a/", "/"), "a/b/");
 * strictEqual(commonPrefix("a/b", "a/", "/"), undefined);
 * ```
 */
export function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === "") return undefined;
  const found = key.indexOf(delimiter, prefix.length);
  return found < 0 ? undefined : key.slice(0, found + delimiter.length);
}

/**
 * Returns the `after` of a listing that begins after a client's marker. A listing shows a common prefix only if it is
 * greater than the marker, so a marker within a group of keys skips the whole group.
 *
 * @example Usage
 * ```ts
 * import { afterMarker } from "./listing.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(afterMarker("a/1", { prefix: "", delimiter: "/" }), "a/");
 * strictEqual(afterMarker("a/1", { prefix: "a/", delimiter: "/" }), "a/1");
 * ```
 */
export function afterMarker(
  marker: string,
  { prefix, delimiter }: Pick<PageQuery, "prefix" | "delimiter">,
): string {
  return marker.startsWith(prefix) ? commonPrefix(marker, prefix, delimiter) ?? marker : marker;
}

/**
 * Returns one page of a listing. As on AWS, a `limit` of 0 yields an empty page that is not truncated.
 *
 * @example Usage
 * ```ts
 * import { sortedKeys } from "./key_order.ts";
 * import { listPage } from "./listing.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const index = sortedKeys([{ key: "a" }, { key: "b/1" }, { key: "b/2" }, { key: "c" }]);
 * deepStrictEqual(listPage(index, { prefix: "", delimiter: "/", after: "", limit: 2 }), {
 *   entries: [{ key: "a" }],
 *   commonPrefixes: ["b/"],
 *   next: "b/",
 * });
 * ```
 */
export function listPage<Entry extends { readonly key: string }>(
  index: SortedKeys<Entry>,
  { prefix, delimiter, after, limit }: PageQuery,
): Page<Entry> {
  const entries: Entry[] = [];
  const commonPrefixes: string[] = [];
  const page = { entries, commonPrefixes, next: undefined };
  if (limit <= 0) return page;

  let seek = firstSeek(prefix, delimiter, after);
  let last = "";
  while (seek !== undefined) {
    const keys = index.from(seek);
    seek = undefined;
    for (let step = keys.next(); !step.done; step = keys.next()) {
      const entry = step.value;
      if (!entry.key.startsWith(prefix)) return page;
      if (entries.length + commonPrefixes.length >= limit) return { ...page, next: last };

      const group = commonPrefix(entry.key, prefix, delimiter);
      if (group === undefined) {
        entries.push(entry);
        last = entry.key;
      } else {
        commonPrefixes.push(group);
        last = group;
        seek = afterPrefix(group);
        break;
      }
    }
  }
  return page;
}

/** Returns the text at which a walk begins; undefined if nothing can follow `after`. */
function firstSeek(prefix: string, delimiter: string, after: string): string | undefined {
  if (compareUtf8(after, prefix) < 0 || after === "") return prefix;
  const wholeGroup = after.startsWith(prefix) && commonPrefix(after, prefix, delimiter) === after;
  // Appending U+0000 makes the smallest text above `after`.
  return wholeGroup ? afterPrefix(after) : `${after}\u0000`;
}
