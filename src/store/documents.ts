/**
 * The part of a store that keeps documents about buckets, such as the CORS configuration.
 * @module
 */

import type { BucketName } from "../s3/names.ts";

/** The kinds of documents. Each is a subject in JetStream, so a name never changes. */
export const DOCUMENT_KINDS = [
  "cors",
  "website",
  "tagging",
  "requestPayment",
  "accelerate",
  "logging",
  "policy",
  "publicAccessBlock",
  "versioning",
  "objectLock",
  "lifecycle",
  "lifecycleRun",
] as const;
/** One of {@linkcode DOCUMENT_KINDS}. */
export type DocumentKind = typeof DOCUMENT_KINDS[number];

/** Longest document, in characters. */
export const MAX_DOCUMENT: number = 512 * 1024;

/** How a document is written. */
export type WriteDocumentOptions = {
  /**
   * Resolves only when no request begins any more that ignores the change, on any gateway. For documents that protect
   * data or take rights away.
   */
  readonly everywhere?: boolean;
};

/**
 * Documents, each a text of at most {@linkcode MAX_DOCUMENT} characters that a caller has validated. A change is in force on
 * every gateway within a second. Every method throws `NoSuchBucket` if the bucket is missing.
 */
export interface BucketDocuments {
  /**
   * Returns a document as it was put; undefined if there is none. The same text is returned until it changes, so that
   * callers may keep what they made of it.
   *
   * @throws S3Error `InternalError` for one that somebody else wrote and nobody can read
   */
  readDocument(bucket: BucketName, kind: DocumentKind): Promise<string | undefined>;
  /**
   * Returns a document if it is known to be current without asking anybody: null if there is none, undefined if it must be
   * read. It never throws.
   */
  knownDocument(bucket: BucketName, kind: DocumentKind): string | null | undefined;
  putDocument(
    bucket: BucketName,
    kind: DocumentKind,
    text: string,
    options?: WriteDocumentOptions,
  ): Promise<void>;
  /**
   * Prepares a bucket for a policy or a public access block: resolves when every gateway that serves the bucket enforces
   * both. The first time it takes seconds.
   *
   * @param isPublicRead The policy lets everybody read all objects, which older gateways enforce also.
   */
  preparePolicy(bucket: BucketName, isPublicRead: boolean): Promise<void>;
  /**
   * Prepares a bucket for its document `versioning`: resolves when every gateway that serves the bucket keeps versions. The
   * first time it takes seconds.
   *
   * @throws S3Error `InvalidBucketState` if what is stored may go by itself, so that versions would be lost
   */
  prepareVersioning(bucket: BucketName): Promise<void>;
  /**
   * Changes a document so that of several changes at once none is lost: each starts from the result of another.
   *
   * @param change Returns the new document for the present one; undefined stands for none. It may be called several times,
   * and what it throws is thrown.
   * @throws S3Error as {@linkcode readDocument} does
   */
  changeDocument(
    bucket: BucketName,
    kind: DocumentKind,
    change: (text: string | undefined) => string | undefined,
  ): Promise<void>;
  /** Deletes a document, or does nothing if there is none. It needs no room. */
  deleteDocument(
    bucket: BucketName,
    kind: DocumentKind,
    options?: WriteDocumentOptions,
  ): Promise<void>;
}
