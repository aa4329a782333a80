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
  const seek = limit <= 0 ? undefined : seekAfter(prefix, delimiter, after);
  const start = seek === undefined ? undefined : index.from(seek);
  const { entries, commonPrefixes, last } = walkPage(start, (text) => index.from(text), {
    prefix,
    delimiter,
    limit,
  });
  return { entries, commonPrefixes, next: typeof last === "object" ? last.key : last };
}

/**
 * Walks over entries until a page is full.
 *
 * @param start The entries in order from the beginning of the page; undefined for an empty page.
 * @param from Iterates over the entries in order, from the first key at or above a text.
 * @returns `last` is the page's last entry or common prefix if more follow.
 */
export function walkPage<Entry extends { readonly key: string }>(
  start: Iterator<Entry> | undefined,
  from: (text: string) => Iterator<Entry>,
  { prefix, delimiter, limit }: Omit<PageQuery, "after">,
): Omit<Page<Entry>, "next"> & { readonly last: Entry | string | undefined } {
  const entries: Entry[] = [];
  const commonPrefixes: string[] = [];
  const page = { entries, commonPrefixes, last: undefined };
  let last: Entry | string | undefined;
  let walk = start;
  while (walk !== undefined) {
    const step = walk.next();
    if (step.done || !step.value.key.startsWith(prefix)) return page;
    if (entries.length + commonPrefixes.length >= limit) return { ...page, last };
    const entry = step.value;
    const group = commonPrefix(entry.key, prefix, delimiter);
    if (group === undefined) {
      entries.push(entry);
      last = entry;
    } else {
      commonPrefixes.push(group);
      last = group;
      const beyond = afterPrefix(group);
      walk = beyond === undefined ? undefined : from(beyond);
    }
  }
  return page;
}

/** Returns the text at which a walk begins that follows `after`; undefined if nothing can follow it. */
export function seekAfter(prefix: string, delimiter: string, after: string): string | undefined {
  if (compareUtf8(after, prefix) < 0 || after === "") return prefix;
  // Appending U+0000 makes the smallest text above `after`.
  return isWholeGroup(after, prefix, delimiter) ? afterPrefix(after) : `${after}\u0000`;
}

/** Returns whether a text is a common prefix, which stands for all keys below it. */
export function isWholeGroup(text: string, prefix: string, delimiter: string): boolean {
  return text.startsWith(prefix) && commonPrefix(text, prefix, delimiter) === text;
}
