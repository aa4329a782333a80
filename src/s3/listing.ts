/**
 * Listing over sorted keys: prefix, delimiter, common prefixes, pages.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 *
 * A page is a walk from a seek: what a delimiter hides is skipped by seeking past it, never by scanning it, so a page
 * costs the page and not the bucket.
 * @module
 */

/** Keys in the order of their UTF-8 bytes, each with what is known about it. */
export interface SortedKeys<Entry extends { readonly key: string }> {
  /** Entries in order from the first key at or above this text. */
  from(text: string): Iterator<Entry>;
}

/** Part of a page: what the query of a listing says. */
export type PageQuery = {
  readonly prefix: string;
  /** Any length; "" for none. */
  readonly delimiter: string;
  /** Keys and common prefixes come after this text; a common prefix is skipped when it *is* this text. */
  readonly after: string;
  /** Most keys and common prefixes together. */
  readonly limit: number;
};

/** A page of entries. */
export type Page<Entry> = {
  readonly entries: readonly Entry[];
  readonly commonPrefixes: readonly string[];
  /** The page's last key or common prefix, when more follows: the `after` of the next page. */
  readonly next: string | undefined;
};

/**
 * Compares by UTF-8 bytes. JavaScript compares UTF-16 units, which puts U+1F600 (as its surrogates) before U+FF01.
 *
 * @returns Negative, zero or positive, for `Array.prototype.sort`.
 *
 * @example Usage
 * ```ts
 * import { compareUtf8 } from "./listing.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(["😀", "！", "a"].sort(compareUtf8), ["a", "！", "😀"]);
 * ```
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointOrder(x) - codePointOrder(y);
  }
  return a.length - b.length;
}

/** Lifts surrogates above the rest of the basic plane: they stand for what comes after it. */
function codePointOrder(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/**
 * The least text above every text that begins with this prefix; undefined when there is none.
 *
 * @example Usage
 * ```ts
 * import { afterPrefix } from "./listing.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(afterPrefix("a/"), "a0");
 * strictEqual(afterPrefix("a\u{10ffff}"), "b");
 * strictEqual(afterPrefix(""), undefined);
 * ```
 */
export function afterPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0) ?? 0;
    if (point < 0x10ffff) {
      // Surrogates are no characters: they have no UTF-8.
      return points.join("") + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
    }
  }
  return undefined;
}

/**
 * The common prefix that a key is shown as, or undefined when it is shown itself.
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
 * Where a listing begins that a client wants to begin after a marker: a common prefix is shown only if it is greater than
 * the marker, so that one inside a group passes over the group.
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
 * One page of a listing. `limit` 0 gives an empty page that is not truncated, as AWS does.
 *
 * @example Usage
 * ```ts
 * import { listPage, sortedKeys } from "./listing.ts";
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

/** Where a walk begins; undefined when nothing can follow. */
function firstSeek(prefix: string, delimiter: string, after: string): string | undefined {
  if (compareUtf8(after, prefix) < 0 || after === "") return prefix;
  const wholeGroup = after.startsWith(prefix) && commonPrefix(after, prefix, delimiter) === after;
  // U+0000 makes the least text above `after`.
  return wholeGroup ? afterPrefix(after) : `${after}\u0000`;
}

/** An index over a sorted array, by binary search. */
export function sortedKeys<Entry extends { readonly key: string }>(
  sorted: readonly Entry[],
): SortedKeys<Entry> {
  return {
    *from(text): Iterator<Entry> {
      for (let i = lowerBound(sorted, text); i < sorted.length; i++) yield sorted[i] as Entry;
    },
  };
}

/**
 * Position of the first entry whose key is at or above a text.
 *
 * @example Usage
 * ```ts
 * import { lowerBound } from "./listing.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(lowerBound([{ key: "a" }, { key: "c" }], "b"), 1);
 * ```
 */
export function lowerBound(sorted: readonly { readonly key: string }[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(sorted[middle]?.key ?? "", text) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** An upload, as far as a listing orders it. */
type UploadOrder = { readonly key: string; readonly id: string; readonly initiated: Date };

/** The order of ListMultipartUploads: by key, then by time of initiation. */
export function compareUploads(a: UploadOrder, b: UploadOrder): number {
  return compareUtf8(a.key, b.key) || a.initiated.getTime() - b.initiated.getTime() ||
    compareUtf8(a.id, b.id);
}

/**
 * One page of uploads, which are sorted by {@linkcode compareUploads}. When the upload that the markers name is gone,
 * the uploads of its key are shown from the first: rather twice than never.
 */
export function listUploadPage<Upload extends UploadOrder>(
  sorted: readonly Upload[],
  { prefix, delimiter, keyMarker, uploadIdMarker, limit }: {
    readonly prefix: string;
    readonly delimiter: string;
    readonly keyMarker: string;
    readonly uploadIdMarker: string;
    readonly limit: number;
  },
): {
  readonly uploads: readonly Upload[];
  readonly commonPrefixes: readonly string[];
  readonly next: { readonly keyMarker: string; readonly uploadIdMarker: string } | undefined;
} {
  const uploads: Upload[] = [];
  const commonPrefixes: string[] = [];
  if (limit <= 0) return { uploads, commonPrefixes, next: undefined };

  let last = { keyMarker: "", uploadIdMarker: "" };
  for (let i = firstUpload(sorted, keyMarker, uploadIdMarker); i < sorted.length; i++) {
    const upload = sorted[i] as Upload;
    if (!upload.key.startsWith(prefix)) continue;
    const group = commonPrefix(upload.key, prefix, delimiter);
    const shown = group === commonPrefixes.at(-1);
    if (group !== undefined && (shown || compareUtf8(group, keyMarker) <= 0)) continue;
    if (uploads.length + commonPrefixes.length >= limit) {
      return { uploads, commonPrefixes, next: last };
    }
    if (group === undefined) {
      uploads.push(upload);
      last = { keyMarker: upload.key, uploadIdMarker: upload.id };
    } else {
      commonPrefixes.push(group);
      last = { keyMarker: group, uploadIdMarker: "" };
    }
  }
  return { uploads, commonPrefixes, next: undefined };
}

function firstUpload(sorted: readonly UploadOrder[], key: string, id: string): number {
  if (key === "") return 0;
  if (id === "") return lowerBound(sorted, `${key}\u0000`);
  const first = lowerBound(sorted, key);
  const marker = sorted.findIndex((upload, i) =>
    i >= first && upload.key === key && upload.id === id
  );
  return marker < 0 ? first : marker + 1;
}
