/**
 * Documents of buckets, parsed once for as long as they do not change.
 * @module
 */

import { BoundedCache } from "../collections/bounded_cache.ts";
import { S3Error } from "../s3/errors.ts";
import type { BucketName } from "../s3/names.ts";
import type { DocumentKind } from "../store/documents.ts";
import type { Store } from "../store/store.ts";

/** Characters of all documents of a kind that are kept. */
const MAX_KEPT = 4 * 1024 * 1024;

/**
 * Creates the function that reads a document of a bucket; it resolves to undefined if there is none. It rejects with
 * `InternalError` for a document that the parser refuses, because somebody else wrote it, and with the store's errors.
 */
export function createParsedReader<Value>(
  store: Pick<Store, "readDocument">,
  kind: DocumentKind,
  parse: (text: string) => Value,
): (bucket: BucketName) => Promise<Value | undefined> {
  const kept = new BoundedCache<{ readonly value: Value }>(MAX_KEPT);
  return async (bucket) => {
    const text = await store.readDocument(bucket, kind);
    if (text === undefined) return undefined;
    const known = kept.get(text);
    if (known !== undefined) return known.value;
    let value: Value;
    try {
      value = parse(text);
    } catch (cause) {
      throw new S3Error("InternalError", { BucketName: bucket }, { cause });
    }
    kept.set(text, { value }, text.length);
    return value;
  };
}
