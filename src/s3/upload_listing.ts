/**
 * Listing over sorted uploads: prefix, delimiter, common prefixes, pages.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
 * @module
 */

import { compareUtf8, lowerBound } from "./key_order.ts";
import { commonPrefix } from "./listing.ts";

/** The fields of an upload that decide its place in a listing. */
type UploadOrder = { readonly key: string; readonly id: string; readonly initiated: Date };

/** Compares in the order of ListMultipartUploads: by key, then by time of initiation. */
export function compareUploads(a: UploadOrder, b: UploadOrder): number {
  return compareUtf8(a.key, b.key) || a.initiated.getTime() - b.initiated.getTime() ||
    compareUtf8(a.id, b.id);
}

/**
 * Returns one page of uploads, which are sorted by {@linkcode compareUploads}. If the upload that the markers name is
 * gone, the page begins with the first upload of its key: a client may see an upload twice but never misses one.
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
