/**
 * The contents of a memory store: buckets with their objects and uploads, and the checks that several methods share.
 *
 * Every method is synchronous, so a commit needs no lock.
 * @module
 */

import { checkWrite, type WritePrecondition } from "../../s3/conditions.ts";
import { S3Error } from "../../s3/errors.ts";
import { MIN_PART_SIZE } from "../../s3/multipart.ts";
import type { BucketName, ObjectKey, UploadId } from "../../s3/names.ts";
import type { BucketInfo } from "../buckets.ts";
import type { DocumentKind } from "../documents.ts";
import type { ObjectInfo, Renamed } from "../objects.ts";
import type { PartInfo, UploadInfo, UploadInput } from "../uploads.ts";

/** An object with its bytes. */
export type StoredObject = {
  readonly info: ObjectInfo;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly partChecksums: readonly string[] | undefined;
};

/** A part with its bytes. */
export type StoredPart = PartInfo & { readonly bytes: Uint8Array<ArrayBuffer> };

/** An upload with its parts. */
export type StoredUpload = {
  readonly info: UploadInfo;
  readonly input: UploadInput;
  readonly parts: Map<number, StoredPart>;
  /** The object that Complete made. The upload stays, because a client may complete it again. */
  completed?: ObjectInfo;
};

/** A bucket with its objects and uploads. */
export type StoredBucket = {
  readonly info: BucketInfo;
  readonly objects: Map<ObjectKey, StoredObject>;
  readonly uploads: Map<UploadId, StoredUpload>;
  readonly documents: Map<DocumentKind, string>;
  /** Renames by the client's token. */
  readonly renames: Map<string, { readonly parameters: string; readonly result: Renamed }>;
};

/** Settings of a memory store. */
export type MemoryOptions = {
  /** Minimum size of every part except the last, in bytes; S3's own by default. */
  readonly minPartSize?: number;
  readonly now?: () => Date;
};

/** All contents of one memory store. */
export class Memory {
  readonly buckets = new Map<BucketName, StoredBucket>();
  readonly minPartSize: number;
  readonly now: () => Date;

  constructor({ minPartSize = MIN_PART_SIZE, now = () => new Date() }: MemoryOptions = {}) {
    this.minPartSize = minPartSize;
    this.now = now;
  }

  /** @throws S3Error `NoSuchBucket` */
  bucket(bucket: BucketName): StoredBucket {
    const stored = this.buckets.get(bucket);
    if (stored === undefined) throw new S3Error("NoSuchBucket", { BucketName: bucket });
    return stored;
  }

  /** @throws S3Error `NoSuchBucket`, `NoSuchKey` */
  object(bucket: BucketName, key: ObjectKey): StoredObject {
    const object = this.bucket(bucket).objects.get(key);
    if (object === undefined) throw new S3Error("NoSuchKey", { Key: key });
    return object;
  }

  /**
   * Returns an upload that is neither completed nor aborted.
   *
   * @throws S3Error `NoSuchBucket`, `NoSuchUpload`
   */
  upload(bucket: BucketName, key: ObjectKey, id: UploadId): StoredUpload {
    const upload = this.bucket(bucket).uploads.get(id);
    if (upload === undefined || upload.info.key !== key || upload.completed !== undefined) {
      throw new S3Error("NoSuchUpload", { UploadId: id });
    }
    return upload;
  }

  /**
   * Checks that a key may be written or deleted now.
   *
   * @throws S3Error `NoSuchBucket`, `PreconditionFailed`, `NoSuchKey`; `AccessDenied` for a locked object
   */
  checkWrite(bucket: BucketName, key: ObjectKey, precondition: WritePrecondition): void {
    const current = this.bucket(bucket).objects.get(key)?.info;
    checkWrite(precondition, current, key);
    const retention = current?.retention;
    const isRetained = retention !== undefined && retention.until > this.now();
    if (isRetained || current?.legalHold === true) {
      throw new S3Error("AccessDenied", {}, {
        message: "Access Denied because object protected by object lock.",
      });
    }
  }

  /**
   * Stores an object under its key if the key may be written now.
   *
   * @throws S3Error as {@linkcode Memory.checkWrite} does
   */
  commit(bucket: BucketName, precondition: WritePrecondition, object: StoredObject): ObjectInfo {
    const { info } = object;
    this.checkWrite(bucket, info.key, precondition);
    this.bucket(bucket).objects.set(info.key, object);
    return info;
  }
}
