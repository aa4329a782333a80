/**
 * The CORS rules of buckets, parsed once for as long as they do not change.
 * @module
 */

import { BoundedCache } from "../collections/bounded_cache.ts";
import { type CorsRule, parseCors } from "../s3/cors.ts";
import { S3Error } from "../s3/errors.ts";
import type { Store } from "../store/store.ts";
import type { CorsServices } from "./cors.ts";

/** Characters of all configurations whose rules are kept. */
const MAX_KEPT = 4 * 1024 * 1024;

/** Creates the function that reads the rules of a bucket. */
export function createRulesOf(store: Pick<Store, "readDocument">): CorsServices["rulesOf"] {
  const kept = new BoundedCache<readonly CorsRule[]>(MAX_KEPT);
  return async (bucket) => {
    const text = await store.readDocument(bucket, "cors");
    if (text === undefined) return undefined;
    const known = kept.get(text);
    if (known !== undefined) return known;
    let rules: readonly CorsRule[];
    try {
      rules = parseCors(text);
    } catch (cause) { // somebody else wrote it
      throw new S3Error("InternalError", { BucketName: bucket }, { cause });
    }
    kept.set(text, rules, text.length);
    return rules;
  };
}
