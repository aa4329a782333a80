/**
 * Multipart uploads on JetStream.
 *
 * An upload is a record, each part a record beside its chunk group (`part_record.ts`). Complete moves no bytes: one atomic batch freezes
 * the list of parts in the layout record, commits the object info and ends the upload, so there is no moment at which
 * only one of them is true, and nothing to resume.
 * @module
 */

import { isS3Error, S3Error } from "../../s3/errors.ts";
import { compareUploads, listUploadPage } from "../../s3/listing.ts";
import { assembleParts, checkPartAlgorithm } from "../../s3/multipart.ts";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../../s3/names.ts";
import type {
  CompleteInput,
  ContentInput,
  ObjectInfo,
  PartInfo,
  UploadInfo,
  UploadInput,
  UploadPage,
  UploadQuery,
} from "../../store/store.ts";
import { shortDigest } from "../objects/chunk_reader.ts";
import { writeChunks } from "../objects/chunk_writer.ts";
import { compareAndSet } from "../objects/commit.ts";
import { describeParts } from "../objects/describe.ts";
import { type Change, replace } from "../objects/replace.ts";
import { checkRetention } from "../objects/retention.ts";
import type { UploadsContext } from "./context.ts";
import { checkRoom } from "../buckets/quota.ts";
import { isDefinite, Unanswered } from "../jetstream/errors.ts";
import { parseSubjectOf, partChunkSubject, records } from "../layout/subjects.ts";
import { ATTEMPT_LENGTH } from "../layout/chunk_map.ts";
import { newNuid, nuidOfUpload, parseNuid } from "../layout/nuid.ts";
import { formatPart, type PartRecord } from "../layout/part_record.ts";
import {
  formatUploadRecord,
  parseUploadRecord,
  type UploadRecord,
} from "../layout/upload_record.ts";
import { readParts, withTables } from "./parts.ts";
import { type StoredMessage, textOf } from "../jetstream/messages.ts";
import { readMessages } from "../buckets/scan.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { discardParts, trashGroup, trashMessage } from "../objects/trash.ts";

/** How long a finished upload's record answers a repeated Complete. */
const DONE_TTL = "168h";
/** How long an aborted upload's record tells parts that come late. */
const ABORTED_TTL = "48h";
const WRITE_ATTEMPTS = 200;

/** Begins an upload. */
export async function createUpload(
  context: UploadsContext,
  bucket: BucketName,
  key: ObjectKey,
  { properties, owner, algorithm, checksumType }: UploadInput,
): Promise<UploadId> {
  const stream = await context.streams.prepare(bucket);
  if (!stream.prepared) {
    throw new S3Error("InvalidRequest", { BucketName: bucket }, {
      message: "The bucket's stream cannot be changed to hold multipart uploads.",
    });
  }
  const id = newNuid(key);
  const record: UploadRecord = {
    state: "open",
    key,
    initiated: context.now().toISOString(),
    owner,
    properties,
    algorithm,
    checksumType,
  };
  await context.requests.publish(records.upload(stream.store, id), formatUploadRecord(record), {
    expect: 0,
  });
  return id as string as UploadId;
}

/** Stores a part. */
export async function putPart(
  context: UploadsContext,
  bucket: BucketName,
  key: ObjectKey,
  id: UploadId,
  number: PartNumber,
  { content, signal }: {
    readonly content: ContentInput;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<PartInfo> {
  let stream: BucketStream;
  try {
    stream = await context.streams.get(bucket);
    await checkRoom(context, stream, content.size);
    const { record } = await openUpload(context, stream, key, id);
    checkPartAlgorithm(record.algorithm, content.algorithm);
  } catch (cause) {
    await content.stream.cancel().catch(() => {});
    throw cause;
  }

  const nuid = nuidOfUpload(id);
  const attempt = newNuid(key).slice(0, ATTEMPT_LENGTH);
  const chunks = partChunkSubject(stream.store, nuid, number, attempt);
  let part: PartRecord;
  let subject: string;
  try {
    const written = await writeChunks(context, chunks, content, signal);
    const { received: { size, md5, sha256, checksum }, chunkSize, sequences } = written;
    content.verify(written.received);
    signal?.throwIfAborted();
    const modified = context.now();
    const digest = shortDigest(sha256);
    const facts = { number, size, etag: md5, checksum, modified };
    part = { ...facts, attempt, chunkSize, digest, sequences };
    const record = formatPart(stream.store, id, part);
    subject = record.subject;
    // The attempt's name is in the subject: whatever is there is this part.
    await compareAndSet(context, stream, { ...record, expect: 0, ttl: undefined }, () => true);
  } catch (cause) {
    if (!(cause instanceof Unanswered)) await discardParts(context, stream, chunks);
    throw cause;
  }

  // The upload may have ended meanwhile. What it did not name is nobody's.
  const upload = await findUpload(context, stream, key, id);
  if (upload?.record.state === "open") return partInfo(part);
  if (upload?.record.state === "done") await trashGroup(context, stream, key, nuid);
  else for (const left of [chunks, subject]) await discardParts(context, stream, left);
  throw new S3Error("NoSuchUpload", { UploadId: id });
}

/** An upload in progress. Throws `NoSuchUpload`. */
export async function readUpload(
  context: UploadsContext,
  bucket: BucketName,
  key: ObjectKey,
  id: UploadId,
): Promise<UploadInfo> {
  const stream = await context.streams.get(bucket);
  return uploadInfo(id, (await openUpload(context, stream, key, id)).record);
}

/** Parts of an upload, by number. */
export async function listParts(
  context: UploadsContext,
  bucket: BucketName,
  key: ObjectKey,
  id: UploadId,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<
  {
    readonly upload: UploadInfo;
    readonly items: readonly PartInfo[];
    readonly next: number | undefined;
  }
> {
  const stream = await context.streams.get(bucket);
  const { record } = await openUpload(context, stream, key, id);
  const parts = [...(await readParts(context, stream, id)).values()]
    .filter(({ number }) => number > after);
  const items = parts.slice(0, limit).map(partInfo);
  const next = parts.length > items.length ? items.at(-1)?.number : undefined;
  return { upload: uploadInfo(id, record), items, next };
}

/** Uploads in progress. */
export async function listUploads(
  context: UploadsContext,
  bucket: BucketName,
  query: UploadQuery,
): Promise<UploadPage> {
  const stream = await context.streams.read(bucket);
  if (!stream.prepared) return { uploads: [], commonPrefixes: [], next: undefined };
  const messages = await readMessages(context, stream, records.upload(stream.store, "*"));
  const uploads = messages.flatMap((message) => {
    const record = parseUploadRecord(textOf(message.data));
    if (record?.state !== "open") return [];
    return [
      uploadInfo(
        (parseSubjectOf("upload", stream.store, message.subject)?.id ?? "") as UploadId,
        record,
      ),
    ];
  });
  return listUploadPage(uploads.sort(compareUploads), query);
}

/** Makes the object of its parts. */
export async function completeUpload(
  context: UploadsContext,
  bucket: BucketName,
  key: ObjectKey,
  id: UploadId,
  input: CompleteInput,
): Promise<ObjectInfo> {
  const stream = await context.streams.get(bucket);
  const { result } = await replace<ObjectInfo, Started>(context, stream, key, {
    prepare: () =>
      Promise.all([findUpload(context, stream, key, id), readParts(context, stream, id)]),
    async describe(_before, [upload, uploaded]) {
      const done = upload?.record.result;
      if (upload !== undefined && done !== undefined) {
        return { kind: "done", result: finished(upload.record, done) };
      }
      if (upload?.record.state !== "open") throw new S3Error("NoSuchUpload", { UploadId: id });
      return await describeComplete(context, stream, id, upload, uploaded, input);
    },
    precondition: input.precondition,
    guard: checkRetention,
  });
  return result;
}

type FoundUpload = { readonly record: UploadRecord; readonly sequence: number };

type Started = [upload: FoundUpload | undefined, parts: ReadonlyMap<number, PartRecord>];

/**
 * Layout record, object info and the upload's end, together or not at all. The upload goes into the trash as well: the
 * records of its parts, and the parts that the object does not use.
 */
async function describeComplete(
  context: UploadsContext,
  stream: BucketStream,
  id: UploadId,
  { record, sequence }: FoundUpload,
  uploaded: ReadonlyMap<number, PartRecord>,
  input: CompleteInput,
): Promise<Change<ObjectInfo>> {
  const assembly = await assembleParts(record, uploaded, input, context.minPartSize);
  const parts = await withTables(context, stream, id, assembly.parts);
  const { size, etag, checksum } = assembly;
  const { key, owner, properties, algorithm, checksumType } = record;
  const modified = context.now();
  const result: ObjectInfo = {
    key,
    size,
    etag,
    modified,
    properties,
    checksum,
    owner,
    partSizes: parts.map(({ size }) => size),
    retention: undefined,
  };
  const { store } = stream;
  const nuid = nuidOfUpload(id);
  const names = { store, nuid };
  const { message, chunkMap } = describeParts(names, result, { algorithm, checksumType, parts });
  const done: UploadRecord = {
    ...record,
    state: "done",
    result: { size, etag, checksum, modified: modified.toISOString() },
  };
  return {
    kind: "batch",
    nuid,
    message,
    before: [{ subject: records.layout(store, nuid), data: chunkMap, rollup: true }],
    after: [
      {
        subject: records.upload(store, id),
        data: formatUploadRecord(done),
        rollup: true,
        expect: sequence,
        ttl: DONE_TTL,
      },
      trashMessage(store, key, nuid),
    ],
    result,
  };
}

/** Ends an upload without an object. */
export async function abortUpload(
  context: UploadsContext,
  bucket: BucketName,
  key: ObjectKey,
  id: UploadId,
): Promise<void> {
  const stream = await context.streams.get(bucket);
  const subject = records.upload(stream.store, id);
  for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
    const { record, sequence } = await openUpload(context, stream, key, id);
    const data = formatUploadRecord({ ...record, state: "aborted" });
    const write = { subject, data, expect: sequence, ttl: ABORTED_TTL };
    const outcome = await compareAndSet(context, stream, write, (message) => {
      return parseUploadRecord(textOf(message.data))?.state === "aborted";
    });
    if (outcome.kind !== "committed") continue;
    const nuid = nuidOfUpload(id);
    await discardParts(context, stream, partChunkSubject(stream.store, nuid, "*", "*"));
    await discardParts(context, stream, records.parts(stream.store, id));
    return;
  }
  throw new S3Error("SlowDown");
}

/**
 * Aborts uploads to which nothing was added for some time, by nats-server's clock.
 *
 * @param options `age` in milliseconds; with `dryRun` they are only counted.
 * @returns how many they are
 */
export async function abortAbandoned(
  context: UploadsContext,
  stream: BucketStream,
  { age, dryRun }: { readonly age: number; readonly dryRun: boolean },
): Promise<number> {
  if (!stream.prepared) return 0;
  const isOld = ({ time }: StoredMessage): boolean => time.getTime() + age <= stream.at.getTime();
  let count = 0;
  for (const message of await readMessages(context, stream, records.upload(stream.store, "*"))) {
    const record = parseUploadRecord(textOf(message.data));
    const id = parseNuid(parseSubjectOf("upload", stream.store, message.subject)?.id) as
      | UploadId
      | undefined;
    if (record?.state !== "open" || id === undefined || !isOld(message)) continue;
    const parts = await readMessages(context, stream, records.parts(stream.store, id));
    if (!parts.every(isOld)) continue;
    count++;
    if (!dryRun) await abortIfOpen(context, stream.bucket, record.key, id);
  }
  return count;
}

async function abortIfOpen(
  context: UploadsContext,
  bucket: BucketName,
  key: ObjectKey,
  id: UploadId,
): Promise<void> {
  try {
    await abortUpload(context, bucket, key, id);
  } catch (cause) {
    if (!isS3Error(cause, "NoSuchUpload")) throw cause; // it has ended meanwhile
  }
}

async function openUpload(
  context: UploadsContext,
  stream: BucketStream,
  key: ObjectKey,
  id: UploadId,
): Promise<{ readonly record: UploadRecord; readonly sequence: number }> {
  const upload = await findUpload(context, stream, key, id);
  if (upload?.record.state !== "open") throw new S3Error("NoSuchUpload", { UploadId: id });
  return upload;
}

async function findUpload(
  { requests, streams }: UploadsContext,
  { bucket, store, stream, prepared }: BucketStream,
  key: ObjectKey,
  id: UploadId,
): Promise<{ readonly record: UploadRecord; readonly sequence: number } | undefined> {
  if (!prepared) return undefined;
  let message: StoredMessage | undefined;
  try {
    message = await requests.leaderGet(stream, { last_by_subj: records.upload(store, id) });
  } catch (cause) {
    if (isDefinite(cause)) await streams.read(bucket); // tells a bucket that is gone
    throw cause;
  }
  const record = message && parseUploadRecord(textOf(message.data));
  if (message === undefined || record?.key !== key) return undefined;
  return { record, sequence: message.sequence };
}

function partInfo({ number, size, etag, modified, checksum }: PartRecord): PartInfo {
  return { number, size, etag, modified, checksum };
}

function uploadInfo(id: UploadId, record: UploadRecord): UploadInfo {
  const { key, initiated, owner, algorithm, checksumType, properties } = record;
  return {
    key,
    id,
    initiated: new Date(initiated),
    owner,
    algorithm,
    checksumType,
    storageClass: properties.system.storageClass,
  };
}

function finished(
  { key, owner, properties }: UploadRecord,
  { size, etag, checksum, modified }: NonNullable<UploadRecord["result"]>,
): ObjectInfo {
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
  };
}
