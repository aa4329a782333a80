/**
 * Ends uploads without an object: when a client asks for it, or when an upload was abandoned.
 * @module
 */

import { isS3Error, S3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey, UploadId } from "../../s3/names.ts";
import { removeMessage } from "../buckets/make_room.ts";
import { isRenamed } from "../buckets/renamed_groups.ts";
import { readMessages } from "../buckets/scan.ts";
import type { BucketStream, StreamReading } from "../buckets/streams.ts";
import { isFull, JetStreamError } from "../jetstream/errors.ts";
import { type StoredMessage, textOf } from "../jetstream/messages.ts";
import { nuidOfUpload, parseNuid } from "../layout/nuid.ts";
import { partChunkSubject } from "../layout/chunk_subjects.ts";
import { parseSubjectOf, records } from "../layout/subjects.ts";
import {
  ENDED_TTL,
  formatUploadRecord,
  parseUploadRecord,
  type UploadRecord,
} from "../layout/upload_record.ts";
import { compareAndSet } from "../objects/commit.ts";
import { readCurrent, readLast } from "../objects/current.ts";
import { discardParts, trashGroup } from "../objects/trash.ts";
import type { UploadsContext } from "./context.ts";
import { type FoundUpload, readUploadRecord, type UploadNeeds } from "./uploads.ts";

/** How often an abort that conflicts starts over. */
const ABORT_ATTEMPTS = 200;

type AbortNeeds = UploadNeeds & Pick<UploadsContext, "log" | "now" | "trashed" | "unfinished">;

/**
 * Aborts an upload and purges its parts. An upload whose record cannot be read can be aborted by those who know its id.
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
    const upload = await readUploadRecord(needs, stream, key, id);
    const record = upload?.record;
    if (upload === undefined || (record !== undefined && record.state !== "open")) {
      throw new S3Error("NoSuchUpload", { UploadId: id });
    }
    const { sequence } = upload;
    const found = { record: record ?? unreadUpload(needs, key), sequence };
    if (!await endUpload(needs, stream, id, found)) continue;
    if (await mayBeNamed(needs, stream, found.record.key, id)) {
      await trashGroup(needs, stream, found.record.key, nuidOfUpload(id), "perhaps named");
      throw new S3Error("NoSuchUpload", { UploadId: id });
    }
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
 * Tells whether an object may have the parts of an upload that has just ended: that of its key, a noncurrent version, or one
 * that was renamed since. Complete ends the upload and stores the object together, but a server that loses its last messages
 * may lose the end alone. Then the parts belong to the object, and a record says where they are, as for no open upload.
 */
async function mayBeNamed(
  needs: AbortNeeds,
  stream: BucketStream,
  key: ObjectKey,
  id: UploadId,
): Promise<boolean> {
  const nuid = nuidOfUpload(id);
  return (await readCurrent(needs, stream, key)).nuid === nuid ||
    await isRenamed(needs.requests, stream.store, nuid) ||
    await readLast(needs, stream, records.layout(stream.store, nuid), false) !== undefined;
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
  const write = { subject, data, expect: sequence, ttl: ENDED_TTL };
  try {
    return (await compareAndSet(needs, stream, write, isAborted)).kind === "committed";
  } catch (cause) {
    if (!isFull(cause)) throw cause;
    const removal = await removeMessage(needs, stream, sequence);
    if (removal !== "in doubt") return removal === "removed";
    return await readUploadRecord(needs, stream, record.key, id) === undefined;
  }
}

/** Returns a record in place of one that cannot be read. Nothing but its state will be read. */
function unreadUpload({ now }: Pick<AbortNeeds, "now">, key: ObjectKey): UploadRecord {
  return {
    state: "open",
    key,
    initiated: now().toISOString(),
    owner: "",
    properties: { system: {}, user: {}, tags: {} },
    algorithm: undefined,
    checksumType: undefined,
  };
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
    if (record === undefined) needs.reportUnreadable(stream.bucket, "upload", message.subject);
    const found = parseSubjectOf("upload", stream.store, message.subject);
    const id = parseNuid(found?.id) as UploadId | undefined;
    if (record?.state !== "open" || id === undefined || !isOld(message)) continue;
    const parts = await readMessages(needs, stream, records.parts(stream.store, id));
    if (!parts.every(isOld)) continue;
    if (dryRun || await abortIfOpen(needs, stream.bucket, record.key, id)) count++;
  }
  return count;
}

/** Aborts an upload unless it has ended meanwhile. One that cannot be aborted does not keep the others. */
async function abortIfOpen(
  needs: AbortNeeds,
  bucket: BucketName,
  key: ObjectKey,
  id: UploadId,
): Promise<boolean> {
  try {
    await abortUpload(needs, bucket, key, id);
    return true;
  } catch (cause) {
    if (isS3Error(cause, "NoSuchUpload")) return false;
    if (!(cause instanceof JetStreamError) && !isS3Error(cause, "SlowDown")) throw cause;
    needs.log.warn("an abandoned upload was not aborted", { bucket, upload: id, cause });
    return false;
  }
}
