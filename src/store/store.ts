/**
 * The interface of a store, in S3 words, with the promises that every store keeps. The suite in `tests/contract/`
 * checks each of them against the memory store and against JetStream.
 *
 * Every store:
 * - is strongly consistent: what a resolved write did, every later read and list shows;
 * - shows no object by halves: a reader sees the whole old object or the whole new one;
 * - keeps nothing of a write that threw;
 * - throws {@linkcode S3Error} with AWS's code, and nothing else on purpose.
 * @module
 */

import type { Checksum, ChecksumAlgorithm, ChecksumType } from "../s3/checksum.ts";
import type { WritePrecondition } from "../s3/conditions.ts";
import type { ObjectProperties } from "../s3/metadata.ts";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../s3/names.ts";
import type { ByteRange } from "../s3/range.ts";
import type { ByteSource } from "../streams/byte_source.ts";

/** A bucket as ListBuckets shows it. */
export type BucketInfo = {
  readonly name: BucketName;
  readonly created: Date;
  /** Access key id of who made it; undefined for a bucket that a native client made. */
  readonly owner: string | undefined;
};

/** An object as HeadObject shows it. */
export type ObjectInfo = {
  readonly key: ObjectKey;
  /** Bytes. */
  readonly size: number;
  /** Bare. */
  readonly etag: string;
  /** Second precision is what HTTP shows; stores keep milliseconds. */
  readonly modified: Date;
  readonly properties: ObjectProperties;
  readonly checksum: Checksum | undefined;
  /** Access key id of who wrote it, where known. */
  readonly owner: string | undefined;
  /** Sizes of the parts of a multipart object, in order. */
  readonly partSizes: readonly number[] | undefined;
  /** One of each part, base64, of the object's algorithm; only where it was asked for and all are known. */
  readonly partChecksums?: readonly string[] | undefined;
  /** Object lock that the Go gateway nats-s3 set; such an object is neither deleted nor overwritten before `until`. */
  readonly retention: { readonly mode: string; readonly until: Date } | undefined;
};

/** What was received, computed on the way. */
export type Received = {
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly md5: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Of the algorithm that was asked for, base64. */
  readonly checksum: string | undefined;
};

/** Bytes to store. */
export type ContentInput = {
  /**
   * Read to its end, or cancelled when the write fails. Its pieces are the store's own from then on: they may be freed.
   * An error while reading is thrown as it is.
   */
  readonly stream: ReadableStream<Uint8Array> | ByteSource;
  /** Bytes, where known; more or fewer than that is `IncompleteBody`. */
  readonly size: number | undefined;
  /** A checksum to compute on the way and to keep. */
  readonly algorithm: ChecksumAlgorithm | undefined;
  /** Called when all bytes were received, before anything is committed; what it throws refuses the write. */
  readonly verify: (received: Received) => void;
};

/** What PutObject needs. */
export type ObjectInput = {
  readonly content: ContentInput;
  readonly properties: ObjectProperties;
  readonly owner: string;
  /** Decided by compare-and-set: of racing writers that expect the same, one wins. */
  readonly precondition: WritePrecondition;
  /** Ends the write before its commit; for content whose reading does not end by itself when nobody wants it any more. */
  readonly signal?: AbortSignal | undefined;
};

/** A part of a multipart object: where it stands, of the object's bytes. */
export type ObjectPart = {
  readonly number: PartNumber;
  readonly start: number;
  readonly size: number;
};

/** What is read of an object beside its info, for those who want it. */
export type InfoOptions = {
  /** {@linkcode ObjectInfo.partChecksums}: it may take a read of its own. */
  readonly partChecksums?: boolean;
};

/** What to read of an object. Thrown errors pass to the caller of getObject. */
export type ChooseRange = (info: ObjectInfo) => ByteRange | "all" | "nothing";

/** An object and the bytes that were chosen. */
export type ObjectContent = {
  readonly info: ObjectInfo;
  readonly range: ByteRange | "all" | "nothing";
  /**
   * One owner reads it to its end or cancels it; null when nothing was chosen or there are no bytes. Bytes and
   * a stream's pieces are their reader's own, who may free them.
   */
  readonly body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null;
};

/** What to list. */
export type ListQuery = {
  readonly prefix: string;
  /** "" for none. */
  readonly delimiter: string;
  /** Keys and common prefixes come after this text, by UTF-8 bytes; "" for the beginning. */
  readonly after: string;
  /** Most keys and common prefixes together; 0 gives an empty page that is not truncated. */
  readonly limit: number;
};

/** What a listing shows of an object. */
export type ListedObject =
  & Pick<
    ObjectInfo,
    "key" | "size" | "etag" | "modified" | "owner"
  >
  & {
    /** Which one there is; its value is the object's. */
    readonly checksum: Pick<Checksum, "algorithm" | "type"> | undefined;
    readonly storageClass: string | undefined;
  };

/** A page of a listing, in the order of UTF-8 bytes. */
export type ListPage = {
  readonly objects: readonly ListedObject[];
  readonly commonPrefixes: readonly string[];
  /** Where the next page resumes, as `after`; undefined on the last page. */
  readonly next: string | undefined;
};

/** What CreateMultipartUpload needs. */
export type UploadInput = {
  readonly properties: ObjectProperties;
  readonly owner: string;
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
};

/** An upload in progress. */
export type UploadInfo = {
  readonly key: ObjectKey;
  readonly id: UploadId;
  readonly initiated: Date;
  readonly owner: string;
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
  readonly storageClass: string | undefined;
};

/** A part that was uploaded. */
export type PartInfo = {
  readonly number: PartNumber;
  readonly size: number;
  /** Bare; the MD5 of the part in lower-case hex. */
  readonly etag: string;
  readonly modified: Date;
  /** Base64, of the upload's algorithm. */
  readonly checksum: string | undefined;
};

/** A part as CompleteMultipartUpload names it. */
export type CompletedPart = {
  readonly number: PartNumber;
  /** Bare. */
  readonly etag: string;
  /** Checksum that the client states for it, base64, where it states one. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
};

/** What CompleteMultipartUpload needs. */
export type CompleteInput = {
  /** Ascending by number, not empty. */
  readonly parts: readonly CompletedPart[];
  readonly precondition: WritePrecondition;
  /** Checksum of the whole object that the client states. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
  /** Size of the whole object that the client states (`x-amz-mp-object-size`). */
  readonly size: number | undefined;
};

/** Where a list of uploads begins: after this key, and after this id of the same key. */
export type UploadQuery = {
  readonly prefix: string;
  readonly delimiter: string;
  readonly keyMarker: string;
  /** Counts only with a key marker. */
  readonly uploadIdMarker: string;
  readonly limit: number;
};

/** A page of uploads, by key, then by time of initiation. */
export type UploadPage = {
  readonly uploads: readonly UploadInfo[];
  readonly commonPrefixes: readonly string[];
  readonly next: { readonly keyMarker: string; readonly uploadIdMarker: string } | undefined;
};

/** A store of buckets and objects. Each method throws `NoSuchBucket` where the bucket is missing. */
export interface Store {
  /** All buckets, by name. */
  listBuckets(): Promise<readonly BucketInfo[]>;
  /** @throws S3Error `BucketAlreadyOwnedByYou`, `BucketAlreadyExists`, `InvalidBucketName` */
  createBucket(bucket: BucketName, owner: string): Promise<void>;
  readBucket(bucket: BucketName): Promise<BucketInfo>;
  /** @throws S3Error `BucketNotEmpty` */
  deleteBucket(bucket: BucketName): Promise<void>;

  /** @throws S3Error `NoSuchKey` */
  readObject(bucket: BucketName, key: ObjectKey, options?: InfoOptions): Promise<ObjectInfo>;
  /**
   * Reads the metadata, lets `choose` say what is wanted, and begins to read that. Errors of the metadata and of the
   * first bytes are thrown; a later one breaks the stream. It never ends cleanly with wrong or missing bytes.
   *
   * @throws S3Error `NoSuchKey`
   */
  getObject(
    bucket: BucketName,
    key: ObjectKey,
    choose: ChooseRange,
    options?: InfoOptions,
  ): Promise<ObjectContent>;
  /** @throws S3Error `PreconditionFailed`; `NoSuchKey` for `ifMatch` where there is no object; `AccessDenied` for a locked one */
  putObject(bucket: BucketName, key: ObjectKey, input: ObjectInput): Promise<ObjectInfo>;
  /**
   * Deletes an object; a missing one is no error, unless a condition asks for it.
   *
   * @throws S3Error `NoSuchKey` for `ifMatch` where there is no object; `PreconditionFailed` when `ifMatch` names another ETag; `AccessDenied` for a locked object
   */
  deleteObject(bucket: BucketName, key: ObjectKey, precondition: WritePrecondition): Promise<void>;
  listObjects(bucket: BucketName, query: ListQuery): Promise<ListPage>;

  createUpload(bucket: BucketName, key: ObjectKey, input: UploadInput): Promise<UploadId>;
  /**
   * Stores a part; one of the same number is replaced.
   *
   * @throws S3Error `NoSuchUpload`; `InvalidRequest` when the upload demands another checksum algorithm
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
   * Parts by number, those after `after`.
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
   * Makes the object of its parts; no bytes move. A repeated call of the same upload succeeds again.
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

/** What was done with a bucket's trash. */
export type TrashReport = {
  /** Groups of chunks purged. */
  readonly purged: number;
  /** What waits: for the grace, or for a reader. */
  readonly waiting: number;
};

/** How to sweep. */
export type SweepOptions = {
  /** Milliseconds: what was written later is left alone. */
  readonly minAge: number;
  /** Milliseconds: an upload to which nothing was added for so long is aborted; undefined for never. */
  readonly uploadExpiry?: number | undefined;
  /** Only says what it would do. */
  readonly dryRun: boolean;
};

/** What a sweep of one bucket did, or would do. */
export type SweepReport = {
  readonly bucket: BucketName;
  readonly dryRun: boolean;
  /** Groups that were in the trash. */
  readonly trash: number;
  /** Uploads that were abandoned, and aborted. */
  readonly uploads: number;
  /** Groups of chunks that nothing named. */
  readonly groups: number;
  /** Records that nothing named. */
  readonly records: number;
  /** Messages of these groups and records. */
  readonly messages: number;
  /** Why it stopped before it purged anything. */
  readonly stopped?: string;
};

/** What became of an object that was uploaded in parts. */
export type LayoutOutcome =
  /** Native clients read it now. */
  | "rewritten"
  /** They do already, or it is gone, or was replaced meanwhile. */
  | "needless"
  /** Another gateway is at it. */
  | "taken"
  /** Too large: no table would say where its chunks are. */
  | "too-large";

/** An object that was looked at, so that native clients read it. */
export type RewrittenObject = {
  readonly bucket: BucketName;
  readonly key: ObjectKey;
  readonly outcome: LayoutOutcome;
};

/** What a store does beside requests. */
export interface Maintenance {
  /** Buckets into whose trash this store put something and which were not empty when it looked last. */
  trashedBuckets(): readonly BucketName[];
  /** Frees what was replaced or deleted longer ago than the grace. Throws `NoSuchBucket`. */
  emptyTrash(bucket: BucketName): Promise<TrashReport>;
  /** Frees what crashes left behind. Throws `NoSuchBucket`. */
  sweep(bucket: BucketName, options: SweepOptions): Promise<SweepReport>;
  /**
   * Rewrites an object that was uploaded in parts, unhurried, so that native clients read it.
   *
   * @param signal Ends it, and leaves the object as it was.
   * @returns undefined where none waits
   */
  rewriteNext(signal: AbortSignal): Promise<RewrittenObject | undefined>;
  /**
   * Whether this store is the one that sweeps this bucket now, of all stores that ask within the interval.
   *
   * @param interval Milliseconds.
   */
  claimSweep(bucket: BucketName, interval: number): Promise<boolean>;
}
