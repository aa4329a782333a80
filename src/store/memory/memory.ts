/**
 * The contents of a memory store: buckets with the versions of their objects and their uploads, and the steps that several
 * methods share.
 *
 * Every method is synchronous, so a commit needs no lock.
 * @module
 */

import { randomBytes } from "node:crypto";
import { checkWrite, type WritePrecondition } from "../../s3/conditions.ts";
import { S3Error } from "../../s3/errors.ts";
import { MIN_PART_SIZE } from "../../s3/multipart.ts";
import type { BucketName, ObjectKey, UploadId } from "../../s3/names.ts";
import { checkRemoval } from "../../s3/object_lock.ts";
import {
  deleteMarkerError,
  newVersionId,
  noSuchVersion,
  NULL_VERSION,
  type VersionId,
} from "../../s3/version_id.ts";
import type { BucketInfo } from "../buckets.ts";
import type { DocumentKind } from "../documents.ts";
import type { ObjectInfo, Renamed } from "../objects.ts";
import type { PartInfo, UploadInfo, UploadInput } from "../uploads.ts";

/** An object with its bytes, or a delete marker, which has none. */
export type StoredVersion = {
  readonly id: VersionId;
  /** Decreases along the versions of a key; 0 for an object that was written before versioning. */
  readonly ordinal: number;
  readonly isMarker: boolean;
  /** Without `versionId`, which depends on the bucket. */
  readonly info: ObjectInfo;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly partChecksums: readonly string[] | undefined;
};

/** A version that has no place among the versions of its key yet. */
export type NewVersion = Omit<StoredVersion, "id" | "ordinal">;

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
  /** The versions of each key, the latest first. No list is empty. */
  readonly versions: Map<ObjectKey, readonly StoredVersion[]>;
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

  /** Returns whether the bucket has or had versioning. */
  isVersioned(bucket: BucketName): boolean {
    return this.bucket(bucket).documents.has("versioning");
  }

  /** Returns what an object's info says about its version. */
  versionIdOf(bucket: BucketName, id: VersionId): VersionId | undefined {
    return this.isVersioned(bucket) ? id : undefined;
  }

  /** Returns an object's info with its version id. */
  infoOf(bucket: BucketName, { info, id }: StoredVersion): ObjectInfo {
    return this.isVersioned(bucket) ? { ...info, versionId: id } : info;
  }

  /** Returns a version or delete marker of a key, the latest by default; undefined if there is none. */
  version(bucket: BucketName, key: ObjectKey, id?: VersionId): StoredVersion | undefined {
    const versions = this.bucket(bucket).versions.get(key) ?? [];
    return id === undefined ? versions[0] : versions.find((version) => version.id === id);
  }

  /** Returns the current object of a key; undefined if there is none or a delete marker. */
  current(bucket: BucketName, key: ObjectKey): StoredVersion | undefined {
    const latest = this.version(bucket, key);
    return latest?.isMarker === true ? undefined : latest;
  }

  /**
   * Returns a version of an object, the current one by default.
   *
   * @throws S3Error `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion`; `MethodNotAllowed` for a named delete marker
   */
  object(bucket: BucketName, key: ObjectKey, id?: VersionId): StoredVersion {
    const found = this.version(bucket, key, id);
    if (found === undefined) {
      throw id === undefined ? new S3Error("NoSuchKey", { Key: key }) : noSuchVersion(key, id);
    }
    if (!found.isMarker) return found;
    const marker = { id: found.id, modified: found.info.modified };
    throw deleteMarkerError(key, marker, id !== undefined);
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
   * Checks that a key may be written or deleted now. Conditions are about its current object. A lock counts only if the
   * write would remove the version that has it.
   *
   * @throws S3Error `NoSuchBucket`, `PreconditionFailed`, `NoSuchKey`; `AccessDenied` for a locked object
   */
  checkWrite(bucket: BucketName, key: ObjectKey, precondition: WritePrecondition): void {
    const latest = this.version(bucket, key)?.id;
    checkWrite(precondition, this.current(bucket, key)?.info, key, latest);
    if (this.bucket(bucket).documents.get("versioning") === "Enabled") return;
    const replaced = this.version(bucket, key, NULL_VERSION);
    if (replaced !== undefined) checkRemoval(key, replaced.info, this.now(), false);
  }

  /**
   * Stores an object or a delete marker under its key if the key may be written now. Where versioning is on, it becomes a
   * version of its own, else it takes the place of the version `null`.
   *
   * @throws S3Error as {@linkcode Memory.checkWrite} does
   */
  commit(bucket: BucketName, precondition: WritePrecondition, given: NewVersion): StoredVersion {
    const { key } = given.info;
    this.checkWrite(bucket, key, precondition);
    const { versions, documents } = this.bucket(bucket);
    const earlier = versions.get(key) ?? [];
    const versioning = documents.get("versioning");
    const isEnabled = versioning === "Enabled";
    const ordinal = versioning === undefined ? 0 : (earlier[0]?.ordinal ?? 0) + 1;
    const id = isEnabled ? newVersionId(ordinal, randomBytes(22)) : NULL_VERSION;
    const version = { ...given, id, ordinal };
    const kept = isEnabled ? earlier : earlier.filter(({ id }) => id !== NULL_VERSION);
    versions.set(key, [version, ...kept]);
    return version;
  }

  /** Returns the time of modification of a version to be: now, but not before the versions that the key has. */
  modified(bucket: BucketName, key: ObjectKey): Date {
    const now = this.now();
    const latest = this.version(bucket, key)?.info.modified;
    return latest !== undefined && latest > now ? latest : now;
  }

  /** Puts a version in the place of the one with the same id, or removes that one. */
  replace(bucket: BucketName, key: ObjectKey, id: VersionId, by: StoredVersion | undefined): void {
    const { versions } = this.bucket(bucket);
    const earlier = versions.get(key) ?? [];
    const list = earlier.flatMap((version) => version.id !== id ? version : by ?? []);
    if (list.length > 0) versions.set(key, list);
    else versions.delete(key);
  }
}
