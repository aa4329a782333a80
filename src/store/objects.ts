/**
 * The part of a store that keeps objects.
 * @module
 */

import type { AsOf } from "../s3/as_of.ts";
import type { Checksum } from "../s3/checksum_algorithms.ts";
import type { WritePrecondition } from "../s3/conditions.ts";
import type { ObjectProperties } from "../s3/metadata.ts";
import type { BucketName, ObjectKey } from "../s3/names.ts";
import type { ByteRange } from "../s3/range.ts";
import type { RenamePrecondition } from "../s3/rename.ts";
import type { VersionId } from "../s3/version_id.ts";
import type { ContentInput } from "./content.ts";

/** An object as HeadObject shows it. */
export type ObjectInfo = {
  readonly key: ObjectKey;
  /** Bytes. */
  readonly size: number;
  /** Bare. */
  readonly etag: string;
  /** HTTP shows seconds; stores keep milliseconds. */
  readonly modified: Date;
  readonly properties: ObjectProperties;
  readonly checksum: Checksum | undefined;
  /** Access key id of the writer, if known. */
  readonly owner: string | undefined;
  /** Sizes of the parts of a multipart object, in order. */
  readonly partSizes: readonly number[] | undefined;
  /**
   * Checksums of the parts, in order, in base64 and of the object's algorithm. Present only if the caller asked for
   * them and every part has one.
   */
  readonly partChecksums?: readonly string[] | undefined;
  /** Object lock: this version can be neither deleted nor overwritten before `until`. */
  readonly retention: { readonly mode: string; readonly until: Date } | undefined;
  /**
   * Object lock: this version can be neither deleted nor overwritten for as long as the hold is on. Absent if nobody ever
   * set it.
   */
  readonly legalHold?: boolean | undefined;
  /** Undefined in a bucket that never had versioning. */
  readonly versionId?: VersionId | undefined;
};

/** Which version is meant, and the fields of an object's info that a store reads only on request. */
export type InfoOptions = {
  /** Undefined for the current version. */
  readonly versionId?: VersionId | undefined;
  /** {@linkcode ObjectInfo.partChecksums}, which may cost a read of their own. */
  readonly partChecksums?: boolean;
};

/** Modes of retention. */
export type RetentionMode = "GOVERNANCE" | "COMPLIANCE";

/** Object lock that a new version is to have. */
export type LockInput = {
  /** `until` is a date; `days` count from the time of modification that the version gets. */
  readonly retention?:
    | { readonly mode: RetentionMode; readonly until: Date }
    | { readonly mode: RetentionMode; readonly days: number }
    | undefined;
  readonly legalHold?: boolean | undefined;
};

/** A change to the object lock of a version. */
export type LockChange =
  | {
    readonly kind: "retention";
    /** Undefined to remove it. */
    readonly retention: { readonly mode: RetentionMode; readonly until: Date } | undefined;
    /** The caller may and wants to shorten or remove retention of mode GOVERNANCE. */
    readonly bypass: boolean;
  }
  | { readonly kind: "hold"; readonly legalHold: boolean };

/** What identifies the version that a write has made or changed. */
export type WrittenVersion = {
  /** Undefined in a bucket that never had versioning. */
  readonly versionId: VersionId | undefined;
};

/** What is to be deleted. */
export type DeleteInput = {
  readonly precondition: WritePrecondition;
  /** The version to remove for good; undefined to delete the object, which leaves a delete marker where versioning is on. */
  readonly versionId?: VersionId | undefined;
  /** The caller may and wants to remove a version under retention of mode GOVERNANCE. */
  readonly bypass?: boolean | undefined;
  /** Access key id of the caller, who owns the delete marker. */
  readonly owner?: string | undefined;
};

/** What a deletion has done. */
export type Deleted = WrittenVersion & {
  /** `versionId` is that of a delete marker: one that was made, or one that was removed. */
  readonly isMarker: boolean;
};

/** Facts that an object gets by the way in which it was uploaded. A copy that is to equal it cannot compute them from its bytes. */
export type KeptFacts = Pick<ObjectInfo, "etag" | "checksum" | "partSizes" | "partChecksums">;

/** The content and the properties of an object to write. */
export type ObjectInput = {
  readonly content: ContentInput;
  readonly properties: ObjectProperties;
  readonly owner: string;
  /** Checked by compare-and-set: of racing writers that expect the same state, exactly one wins. */
  readonly precondition: WritePrecondition;
  readonly lock?: LockInput | undefined;
  /** Facts to state instead of those of the bytes, which are a copy of an object that has them. */
  readonly keeps?: KeptFacts | undefined;
  /** Ends the write before its commit. For content whose stream does not end when its reader loses interest. */
  readonly signal?: AbortSignal | undefined;
};

/** Chooses which bytes to read. An error that it throws passes to the caller of getObject. */
export type ChooseRange = (info: ObjectInfo) => ByteRange | "all" | "nothing";

/** An object and its chosen bytes. */
export type ObjectContent = {
  readonly info: ObjectInfo;
  readonly range: ByteRange | "all" | "nothing";
  /**
   * Null if nothing was chosen or the object is empty. A stream has one owner, which reads it to its end or cancels it.
   * The reader owns the bytes and the pieces of a stream and may free them.
   */
  readonly body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null;
};

/** The conditions of a rename, and what identifies the request. */
export type RenameInput = {
  readonly precondition: RenamePrecondition;
  /**
   * Recognises a repeated request for some minutes: one of the same token and parameters that was carried out succeeds
   * without another change. Both are any text.
   */
  readonly idempotency?: { readonly token: string; readonly parameters: string } | undefined;
};

/** An object that was renamed. */
export type Renamed = Pick<ObjectInfo, "size" | "etag">;

/**
 * Objects. Every method throws `NoSuchBucket` if the bucket is missing.
 *
 * In a bucket with versioning each write of an object makes a version, and the versions before it stay. `NoSuchKey` has the
 * headers of a delete marker where the current version is one. A version id that does not exist is `NoSuchVersion`, and one
 * of a delete marker is `MethodNotAllowed`, except to {@linkcode Objects.deleteObject}.
 */
export interface Objects {
  /** @throws S3Error `NoSuchKey` */
  readObject(bucket: BucketName, key: ObjectKey, options?: InfoOptions): Promise<ObjectInfo>;
  /**
   * Reads an object's info, lets `choose` pick a range, and begins to read it. It throws errors of the info and of the
   * first bytes. A later error breaks the stream, which never ends cleanly with wrong or missing bytes.
   *
   * @throws S3Error `NoSuchKey`
   */
  getObject(
    bucket: BucketName,
    key: ObjectKey,
    choose: ChooseRange,
    options?: InfoOptions,
  ): Promise<ObjectContent>;
  /**
   * Finds the version that was current at a time. It looks at versions of this key alone.
   *
   * @throws S3Error `InvalidBucketState` in a bucket that never had versioning; `InvalidArgument` for a time in the future
   */
  versionAsOf(bucket: BucketName, key: ObjectKey, time: Date): Promise<AsOf>;
  /** @throws S3Error `PreconditionFailed`; `NoSuchKey` for `ifMatch` without an object; `AccessDenied` for a locked object */
  putObject(bucket: BucketName, key: ObjectKey, input: ObjectInput): Promise<ObjectInfo>;
  /**
   * Deletes an object, or removes a version. A missing object or version is an error only if a condition requires one.
   * Where versioning is on, an object that is missing gets a delete marker, too. Conditions are about the current object, also
   * when a version is named, and a delete marker counts as no object.
   *
   * @throws S3Error `NoSuchKey` for `ifMatch` without an object; `PreconditionFailed` when `ifMatch` names another ETag; `AccessDenied` for a locked version
   */
  deleteObject(bucket: BucketName, key: ObjectKey, input: DeleteInput): Promise<Deleted>;
  /**
   * Replaces all tags of an object. Everything else about it stays, its time of modification too. Object lock does not
   * protect tags. An object that is put in its place at the same time has the tags of its own put.
   *
   * @param options.check Called with the object as it was read, before anything changes. What it throws is thrown.
   * @throws S3Error `NoSuchKey`; `MetadataTooLarge` if the object's other properties, which another program wrote, leave
   * no room for the tags
   */
  putObjectTags(
    bucket: BucketName,
    key: ObjectKey,
    tags: ObjectProperties["tags"],
    options?: {
      readonly versionId?: VersionId | undefined;
      readonly check?: (info: ObjectInfo) => void;
    },
  ): Promise<WrittenVersion>;
  /**
   * Changes the retention or the legal hold of a version. Everything else about it stays.
   *
   * @throws S3Error `NoSuchKey`; `AccessDenied` for a change of retention that does not extend it in its mode, unless the mode
   * is GOVERNANCE and `bypass` says so; `InvalidArgument` for a date in the past
   */
  changeLock(
    bucket: BucketName,
    key: ObjectKey,
    change: LockChange,
    options?: { readonly versionId?: VersionId | undefined },
  ): Promise<WrittenVersion>;
  /**
   * Gives an object another key, in place of the object that has that key. Everything else about it stays, its time of
   * modification too. Onto itself, it checks the conditions and changes nothing. Not in a bucket that has or had versioning:
   * `InvalidBucketState`.
   *
   * @throws S3Error `NoSuchKey` for a missing source; `PreconditionFailed`; `AccessDenied` if either object is locked;
   * `IdempotencyParameterMismatch` for a known token with other parameters
   */
  renameObject(
    bucket: BucketName,
    source: ObjectKey,
    key: ObjectKey,
    input: RenameInput,
  ): Promise<Renamed>;
}
