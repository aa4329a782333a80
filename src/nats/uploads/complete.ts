/**
 * Completes uploads: makes an object of the parts.
 *
 * No bytes move. One atomic batch stores the chunk map, which freezes the list of parts, commits the object info and ends
 * the upload, so at no moment is only one of them true.
 * @module
 */

import { isChecksumValue } from "../../s3/checksum_algorithms.ts";
import { isS3Error, S3Error } from "../../s3/errors.ts";
import { assembleParts } from "../../s3/multipart.ts";
import type { BucketName, ObjectKey, UploadId } from "../../s3/names.ts";
import type { ObjectInfo } from "../../store/objects.ts";
import type { CompleteInput } from "../../store/uploads.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { nuidOfUpload } from "../layout/nuid.ts";
import type { PartRecord } from "../layout/part_record.ts";
import { records } from "../layout/subjects.ts";
import type { VersionFacts } from "../layout/version_facts.ts";
import {
  DONE_TTL,
  ENDED_TTL,
  formatUploadRecord,
  uploadEndSubject,
  type UploadRecord,
} from "../layout/upload_record.ts";
import { type Current, peekCurrent, readBefore } from "../objects/current.ts";
import { describeParts, mapLimit } from "../objects/describe.ts";
import { checkCount, type CountNeeds } from "../objects/object_count.ts";
import { replace } from "../objects/replace.ts";
import type { Change, ReplaceNeeds } from "../objects/replacement.ts";
import { lockFrom } from "../../store/new_lock.ts";
import { checkRetention } from "../objects/retention.ts";
import { trashMessage } from "../objects/trash.ts";
import { notBefore } from "../objects/version_times.ts";
import type { UploadsContext } from "./context.ts";
import { readParts, withSequences } from "./parts.ts";
import { findUpload, type FoundUpload } from "./uploads.ts";

type CompleteNeeds =
  & ReplaceNeeds
  & CountNeeds
  & Pick<UploadsContext, "minPartSize" | "reportUnreadable">;

/** An upload and its parts by number. */
type ReadUpload = [upload: FoundUpload | undefined, parts: ReadonlyMap<number, PartRecord>];

/**
 * Makes an object of an upload's parts.
 *
 * @returns the object; the same one again if the upload was completed before
 */
export async function completeUpload(
  needs: CompleteNeeds,
  bucket: BucketName,
  key: ObjectKey,
  id: UploadId,
  input: CompleteInput,
): Promise<ObjectInfo> {
  const stream = await needs.streams.get(bucket);
  const mayPeek = input.precondition.ifMatch === undefined;
  const { result } = await replace<ObjectInfo, ReadUpload>(needs, stream, key, {
    ...(mayPeek && { current: readBefore(needs, stream, key, peekCurrent) }),
    prepare: () => Promise.all([findUpload(needs, stream, key, id), readParts(needs, stream, id)]),
    makesVersion: true,
    async describe(before, [upload, parts], version) {
      const done = upload && completedObject(upload.record);
      if (done !== undefined) return { kind: "done", result: done };
      if (upload?.record.state !== "open") throw new S3Error("NoSuchUpload", { UploadId: id });
      if (stream.objectLimit !== Infinity) await checkCount(needs, stream, key);
      try {
        const completion = { id, input, before, version };
        return await describeCompletion(needs, stream, completion, upload, parts);
      } catch (cause) {
        // Both were read at the same time: an Abort may have freed the parts since the upload was open.
        const isOpen = !isS3Error(cause, "InvalidPart") ||
          (await findUpload(needs, stream, key, id))?.record.state === "open";
        throw isOpen ? cause : new S3Error("NoSuchUpload", { UploadId: id }, { cause });
      }
    },
    precondition: input.precondition,
    guard: checkRetention,
  });
  return result;
}

/** The completion of an upload, and what it replaces. */
type Completion = {
  readonly id: UploadId;
  readonly input: CompleteInput;
  readonly before: Current;
  /** The version to make. */
  readonly version: VersionFacts | undefined;
};

/**
 * Describes the object of an upload and the end of the upload. The batch puts the upload into the trash as well, which
 * frees the records of its parts and the parts that the object does not use.
 */
async function describeCompletion(
  needs: CompleteNeeds,
  stream: BucketStream,
  { id, input, before, version }: Completion,
  { record, sequence }: FoundUpload,
  uploaded: ReadonlyMap<number, PartRecord>,
): Promise<Change<ObjectInfo>> {
  const { store } = stream;
  const { key, owner, properties, checksumIsDefault = false } = record;
  const usable = checksumIsDefault ? uploaded : withChecksums(uploaded, record.algorithm);
  const assembly = await assembleParts(record, usable, input, needs.minPartSize);
  const { size, etag, checksum } = assembly;
  const parts = await withSequences(needs, stream, id, assembly.parts);
  const now = needs.now();
  const modified = version === undefined ? now : notBefore(now, before);
  const result: ObjectInfo = {
    key,
    size,
    etag,
    modified,
    properties,
    checksum,
    owner,
    partSizes: parts.map(({ size }) => size),
    ...lockFrom(record.lock, modified),
    ...(version !== undefined && { versionId: version.id }),
  };
  const nuid = nuidOfUpload(id);
  const map = { algorithm: checksum?.algorithm, checksumType: checksum?.type, parts };
  const { message, chunkMap } = describeParts(
    store,
    nuid,
    { ...result, version },
    map,
    mapLimit(needs.requests),
  );
  const done: UploadRecord = {
    ...record,
    state: "done",
    result: {
      ...{ size, etag, checksum, modified: modified.toISOString() },
      ...(version !== undefined && { versionId: version.id }),
    },
  };
  const end = formatUploadRecord(done);
  return {
    kind: "batch",
    nuid,
    message,
    before: [{ subject: records.layout(store, nuid), data: chunkMap, rollup: true }],
    after: [
      {
        subject: records.upload(store, id),
        data: end,
        rollup: true,
        expect: sequence,
        ttl: ENDED_TTL,
      },
      { subject: uploadEndSubject(store, id), data: end, rollup: true, ttl: DONE_TTL },
      trashMessage(store, key, nuid, "perhaps named"),
    ],
    result,
  };
}

/** Returns the parts that have the checksum that their upload requires. Others were not uploaded through a gateway. */
function withChecksums(
  parts: ReadonlyMap<number, PartRecord>,
  algorithm: UploadRecord["algorithm"],
): ReadonlyMap<number, PartRecord> {
  if (algorithm === undefined) return parts;
  const fits = ({ checksum }: PartRecord): boolean =>
    checksum !== undefined && isChecksumValue(algorithm, checksum);
  return new Map([...parts].filter(([, part]) => fits(part)));
}

/** Returns the object of a completed upload; undefined for any other upload. */
function completedObject({ key, owner, properties, result }: UploadRecord): ObjectInfo | undefined {
  if (result === undefined) return undefined;
  const { size, etag, checksum, modified, versionId } = result;
  return {
    key,
    size,
    etag,
    checksum,
    modified: new Date(modified),
    properties,
    owner,
    partSizes: undefined,
    retention: undefined,
    ...(versionId !== undefined && { versionId }),
  };
}
