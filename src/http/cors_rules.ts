/**
 * The CORS rules of buckets.
 * @module
 */

import { parseCors } from "../s3/cors.ts";
import type { Store } from "../store/store.ts";
import type { CorsServices } from "./cors.ts";
import { createParsedReader } from "./parsed_documents.ts";

/** Creates the function that reads the rules of a bucket. */
export function createRulesOf(store: Pick<Store, "readDocument">): CorsServices["rulesOf"] {
  return createParsedReader(store, "cors", parseCors);
}
