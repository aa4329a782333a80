/**
 * Ends uploads without an object: when a client asks for it, or when an upload was abandoned.
 * @module
 */

import { isS3Error, S3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey, UploadId } from "../../s3/names.ts";
import { removeMessage } from "../buckets/make_room.ts";
import { readMessages } from "../buckets/scan.ts";
import type { BucketStream, StreamReading } from "../buckets/streams.ts";
import { isFull } from "../jetstream/errors.ts";
import { type StoredMessage, textOf } from "../jetstream/messages.ts";
import { nuidOfUpload, parseNuid } from "../layout/nuid.ts";
import { parseSubjectOf, partChunkSubject, records } from "../layout/subjects.ts";
import { formatUploadRecord, parseUploadRecord } from "../layout/upload_record.ts";
import { compareAndSet } from "../objects/commit.ts";
import { discardParts } from "../objects/trash.ts";
import type { UploadsContext } from "./context.ts";
import { findUpload, type FoundUpload, openUpload, type UploadNeeds } from "./uploads.ts";

/** How long the record of an aborted upload lives, to refuse parts that arrive late. */
const ABORTED_TTL = "48h";
/** How often an abort that conflicts starts over. */
const ABORT_ATTEMPTS = 200;

type AbortNeeds = UploadNeeds & Pick<UploadsContext, "log">;

/**
 * Aborts an upload and purges its parts.
 *
 * @throws S3Error `NoSuchUpload`
 */
export async function abortUpload(
  needs: AbortNeeds,
  bucket: BucketName,
  key: ObjectKey,
  id: UploadId,
): Promise<void> {
  const stream = await needs.streams.get(bucket);
  for (let attempt = 0; attempt < ABORT_ATTEMPTS; attempt++) {
    const upload = await openUpload(needs, stream, key, id);
    if (!await endUpload(needs, stream, id, upload)) continue;
    await discardParts(
      needs,
      stream,
      partChunkSubject(stream.store, nuidOfUpload(id), "*", "*"),
    );
    await discardParts(needs, stream, records.parts(stream.store, id));
    return;
  }
  throw new S3Error("SlowDown");
}

/**
 * Ends an upload unless another write was faster. In a full bucket its record is removed, because an upload without a
 * record has ended as well: parts and a Complete that arrive later find none.
 */
async function endUpload(
  needs: AbortNeeds,
  stream: BucketStream,
  id: UploadId,
  { record, sequence }: FoundUpload,
): Promise<boolean> {
  const subject = records.upload(stream.store, id);
  const data = formatUploadRecord({ ...record, state: "aborted" });
  const write = { subject, data, expect: sequence, ttl: ABORTED_TTL };
  try {
    return (await compareAndSet(needs, stream, write, isAborted)).kind === "committed";
  } catch (cause) {
    if (!isFull(cause)) throw cause;
    const removal = await removeMessage(needs, stream, sequence);
    if (removal !== "in doubt") return removal === "removed";
    return await findUpload(needs, stream, record.key, id) === undefined;
  }
}

function isAborted({ data }: StoredMessage): boolean {
  return parseUploadRecord(textOf(data))?.state === "aborted";
}

/**
 * Aborts uploads to which nothing was added for some time, by nats-server's clock.
 *
 * @param options `age` in milliseconds; `dryRun` only counts the uploads.
 * @returns the number of uploads
 */
export async function abortAbandoned(
  needs: AbortNeeds & Pick<UploadsContext, "budget">,
  stream: StreamReading,
  { age, dryRun }: { readonly age: number; readonly dryRun: boolean },
): Promise<number> {
  if (!stream.prepared) return 0;
  const isOld = ({ time }: StoredMessage): boolean => time.getTime() + age <= stream.at.getTime();
  let count = 0;
  for (const message of await readMessages(needs, stream, records.upload(stream.store, "*"))) {
    const record = parseUploadRecord(textOf(message.data));
    const found = parseSubjectOf("upload", stream.store, message.subject);
    const id = parseNuid(found?.id) as UploadId | undefined;
    if (record?.state !== "open" || id === undefined || !isOld(message)) continue;
    const parts = await readMessages(needs, stream, records.parts(stream.store, id));
    if (!parts.every(isOld)) continue;
    count++;
    if (!dryRun) await abortIfOpen(needs, stream.bucket, record.key, id);
  }
  return count;
}

async function abortIfOpen(
  needs: AbortNeeds,
  bucket: BucketName,
  key: ObjectKey,
  id: UploadId,
): Promise<void> {
  try {
    await abortUpload(needs, bucket, key, id);
  } catch (cause) {
    if (!isS3Error(cause, "NoSuchUpload")) throw cause; // it has ended meanwhile
  }
}
