/**
 * Multipart uploads: begins and reads them.
 *
 * An upload is a record, and each part is a record beside its chunk group (`part_record.ts`). An upload is open until one
 * write of its record ends it, so there is no state between open and done, and nothing to resume.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey, UploadId } from "../../s3/names.ts";
import type { UploadInfo, UploadInput } from "../../store/uploads.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { isDefinite } from "../jetstream/errors.ts";
import { type StoredMessage, textOf } from "../jetstream/messages.ts";
import { isNuidOf, newNuid, nuidOfUpload } from "../layout/nuid.ts";
import { records } from "../layout/subjects.ts";
import {
  formatUploadRecord,
  parseUploadRecord,
  uploadEndSubject,
  type UploadRecord,
} from "../layout/upload_record.ts";
import { checkNewLock } from "../../store/new_lock.ts";
import { checkCount, type CountNeeds } from "../objects/object_count.ts";
import type { UploadsContext } from "./context.ts";

/** The fields of a context that reading an upload's record needs. */
export type UploadNeeds = Pick<UploadsContext, "requests" | "streams" | "reportUnreadable">;

/** An upload's record, and the stream sequence of its message. */
export type FoundUpload = { readonly record: UploadRecord; readonly sequence: number };

/** Begins an upload. */
export async function createUpload(
  needs: CountNeeds & Pick<UploadsContext, "requests" | "streams" | "now">,
  bucket: BucketName,
  key: ObjectKey,
  { properties, owner, algorithm, checksumType, checksumIsDefault, lock }: UploadInput,
): Promise<UploadId> {
  const stream = await needs.streams.prepare(bucket);
  if (!stream.prepared) {
    throw new S3Error("InvalidRequest", { BucketName: bucket }, {
      message: "The bucket's stream cannot be changed to hold multipart uploads.",
    });
  }
  if (stream.objectLimit !== Infinity) await checkCount(needs, stream, key);
  checkNewLock(lock, needs.now());
  const id = newNuid(key);
  const record: UploadRecord = {
    state: "open",
    key,
    initiated: needs.now().toISOString(),
    owner,
    properties,
    algorithm,
    checksumType,
    ...(checksumIsDefault === true && { checksumIsDefault }),
    ...(lock !== undefined && { lock }),
  };
  await needs.requests.publish(records.upload(stream.store, id), formatUploadRecord(record), {
    expect: 0,
  });
  return id as string as UploadId;
}

/**
 * Reads an upload in progress.
 *
 * @throws S3Error `NoSuchUpload`
 */
export async function readUpload(
  needs: UploadNeeds,
  bucket: BucketName,
  key: ObjectKey,
  id: UploadId,
): Promise<UploadInfo> {
  const stream = await needs.streams.get(bucket);
  return uploadInfo(id, (await openUpload(needs, stream, key, id)).record);
}

/**
 * Reads the record of an upload that is open.
 *
 * @throws S3Error `NoSuchUpload`
 */
export async function openUpload(
  needs: UploadNeeds,
  stream: BucketStream,
  key: ObjectKey,
  id: UploadId,
): Promise<FoundUpload> {
  const upload = await findUpload(needs, stream, key, id);
  if (upload?.record.state !== "open") throw new S3Error("NoSuchUpload", { UploadId: id });
  return upload;
}

/**
 * Reads the record of an upload, open or ended; returns undefined if this key has no such upload.
 *
 * @throws S3Error `InternalError` if the record cannot be read: the upload exists
 */
export async function findUpload(
  needs: UploadNeeds,
  stream: BucketStream,
  key: ObjectKey,
  id: UploadId,
): Promise<FoundUpload | undefined> {
  const upload = await readUploadRecord(needs, stream, key, id);
  if (upload === undefined || upload.record !== undefined) return upload as FoundUpload | undefined;
  const { bucket, store } = stream;
  needs.reportUnreadable(bucket, "upload", records.upload(store, id));
  throw new S3Error("InternalError", { UploadId: id }, {
    cause: new Error("The upload's record cannot be read"),
  });
}

/** An upload of a key; its record is undefined if it cannot be read. */
export type ReadUpload = {
  readonly record: UploadRecord | undefined;
  readonly sequence: number;
};

/** Reads the record of an upload of a key, also one that cannot be read; returns undefined if the key has no such upload. */
export async function readUploadRecord(
  { requests, streams }: UploadNeeds,
  { bucket, store, stream, prepared }: BucketStream,
  key: ObjectKey,
  id: UploadId,
): Promise<ReadUpload | undefined> {
  if (!prepared) return undefined;
  let message: StoredMessage | undefined;
  let hasEnded = false;
  try {
    message = await requests.leaderGet(stream, { last_by_subj: records.upload(store, id) });
    hasEnded = message === undefined;
    message ??= await requests.leaderGet(stream, { last_by_subj: uploadEndSubject(store, id) });
  } catch (cause) {
    if (isDefinite(cause)) await streams.read(bucket); // throws NoSuchBucket if the bucket is gone
    throw cause;
  }
  if (message === undefined) return undefined;
  const record = parseUploadRecord(textOf(message.data));
  if (hasEnded && record === undefined) return undefined;
  // The id alone tells whose upload it is if the record does not.
  const isOfKey = record === undefined ? isNuidOf(nuidOfUpload(id), key) : record.key === key;
  return isOfKey ? { record, sequence: message.sequence } : undefined;
}

/** Returns what a client is shown of an upload. */
export function uploadInfo(id: UploadId, record: UploadRecord): UploadInfo {
  const { key, initiated, owner, algorithm, checksumType, checksumIsDefault, properties } = record;
  const { lock } = record;
  return {
    key,
    id,
    initiated: new Date(initiated),
    owner,
    algorithm,
    checksumType,
    checksumIsDefault,
    storageClass: properties.system.storageClass,
    ...(lock !== undefined && { lock }),
  };
}
