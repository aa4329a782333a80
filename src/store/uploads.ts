/**
 * The part of a store that makes objects out of parts: multipart uploads.
 * @module
 */

import type { ChecksumAlgorithm, ChecksumType } from "../s3/checksum_algorithms.ts";
import type { WritePrecondition } from "../s3/conditions.ts";
import type { ObjectProperties } from "../s3/metadata.ts";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../s3/names.ts";
import type { ContentInput } from "./content.ts";
import type { LockInput, ObjectInfo } from "./objects.ts";

/** The properties of the object that an upload will make. */
export type UploadInput = {
  readonly properties: ObjectProperties;
  readonly owner: string;
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
  /** The client named no algorithm, and the gateway chose it. Parts may come with other checksums. */
  readonly checksumIsDefault?: boolean | undefined;
  readonly lock?: LockInput | undefined;
};

/** An upload in progress. */
export type UploadInfo = {
  readonly key: ObjectKey;
  readonly id: UploadId;
  readonly initiated: Date;
  readonly owner: string;
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
  readonly checksumIsDefault?: boolean | undefined;
  readonly storageClass: string | undefined;
  /** Object lock that the object is to have. Absent without one. */
  readonly lock?: LockInput | undefined;
};

/** An uploaded part. */
export type PartInfo = {
  readonly number: PartNumber;
  /** Bytes. */
  readonly size: number;
  /** Bare: the MD5 of the part in lower-case hex. */
  readonly etag: string;
  readonly modified: Date;
  /** Base64, of the upload's algorithm. When a part is stored, it is of the algorithm that its content names. */
  readonly checksum: string | undefined;
};

/** A part as CompleteMultipartUpload names it. */
export type CompletedPart = {
  readonly number: PartNumber;
  /** Bare. */
  readonly etag: string;
  /** The checksum that the client states for the part, in base64, if it states one. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
};

/** The parts of an object, and what the client states about the whole. */
export type CompleteInput = {
  /** Ascending by number, not empty. */
  readonly parts: readonly CompletedPart[];
  readonly precondition: WritePrecondition;
  /** The checksum that the client states for the whole object. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
  /** The size that the client states for the whole object (`x-amz-mp-object-size`). */
  readonly size: number | undefined;
};

/** The uploads that a list selects, and where its page begins: after this key, and after this id of the same key. */
export type UploadQuery = {
  readonly prefix: string;
  readonly delimiter: string;
  readonly keyMarker: string;
  /** Ignored without a key marker. */
  readonly uploadIdMarker: string;
  readonly limit: number;
};

/** A page of uploads, sorted by key, then by time of initiation. */
export type UploadPage = {
  readonly uploads: readonly UploadInfo[];
  readonly commonPrefixes: readonly string[];
  readonly next: { readonly keyMarker: string; readonly uploadIdMarker: string } | undefined;
};

/** Multipart uploads. Every method throws `NoSuchBucket` if the bucket is missing. */
export interface Uploads {
  createUpload(bucket: BucketName, key: ObjectKey, input: UploadInput): Promise<UploadId>;
  /**
   * Stores a part and replaces an earlier part of the same number.
   *
   * @throws S3Error `NoSuchUpload`; `InvalidRequest` if the upload requires another checksum algorithm
   */
  putPart(
    bucket: BucketName,
    key: ObjectKey,
    id: UploadId,
    number: PartNumber,
    input: { readonly content: ContentInput; readonly signal?: AbortSignal | undefined },
  ): Promise<PartInfo>;
  /** @throws S3Error `NoSuchUpload` */
  readUpload(bucket: BucketName, key: ObjectKey, id: UploadId): Promise<UploadInfo>;
  /**
   * Returns the parts with a number above `after`, sorted by number.
   *
   * @throws S3Error `NoSuchUpload`
   */
  listParts(
    bucket: BucketName,
    key: ObjectKey,
    id: UploadId,
    page: { readonly after: number; readonly limit: number },
  ): Promise<
    {
      readonly upload: UploadInfo;
      readonly items: readonly PartInfo[];
      readonly next: number | undefined;
    }
  >;
  listUploads(bucket: BucketName, query: UploadQuery): Promise<UploadPage>;
  /**
   * Makes an object of an upload's parts without moving bytes. Completing the same upload again succeeds.
   *
   * @throws S3Error `NoSuchUpload`, `InvalidPart`, `EntityTooSmall`, `PreconditionFailed`, `BadDigest`, `InvalidRequest`
   */
  completeUpload(
    bucket: BucketName,
    key: ObjectKey,
    id: UploadId,
    input: CompleteInput,
  ): Promise<ObjectInfo>;
  /** @throws S3Error `NoSuchUpload` */
  abortUpload(bucket: BucketName, key: ObjectKey, id: UploadId): Promise<void>;
}
