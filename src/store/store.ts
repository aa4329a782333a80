/**
 * The interface of a store, in S3's words, and the promises that every store keeps. The suite in `tests/contract/`
 * checks each promise against the memory store and against JetStream.
 *
 * Every store:
 * - is strongly consistent: every read and list that begins after a write resolved shows that write;
 * - is atomic: a reader sees the whole old object or the whole new one;
 * - keeps nothing of a write that threw;
 * - throws {@linkcode S3Error} with AWS's code. Any other error is a bug.
 *
 * Each part of the interface has a file of its own, with its types. Maintenance, which no request needs, stays apart in
 * `maintenance.ts`.
 * @module
 */

import type { Buckets } from "./buckets.ts";
import type { BucketDocuments } from "./documents.ts";
import type { Listings } from "./listings.ts";
import type { Objects } from "./objects.ts";
import type { Uploads } from "./uploads.ts";

/** A store of buckets and objects. */
export type Store = Buckets & BucketDocuments & Objects & Listings & Uploads;
