/**
 * Parts of uploads: stores them and reads them back from their records.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import { S3Error } from "../../s3/errors.ts";
import { checkPartAlgorithm } from "../../s3/multipart.ts";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../../s3/names.ts";
import type { ContentInput } from "../../store/content.ts";
import type { Received } from "../../store/content.ts";
import type { PartInfo, UploadInfo } from "../../store/uploads.ts";
import { checkRoom } from "../buckets/quota.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { Unanswered } from "../jetstream/errors.ts";
import { textOf } from "../jetstream/messages.ts";
import { ATTEMPT_LENGTH } from "../layout/chunk_map.ts";
import { newNuid, nuidOfUpload } from "../layout/nuid.ts";
import { formatPart, parsePart, type PartRecord } from "../layout/part_record.ts";
import { parseSequences } from "../layout/runs.ts";
import { partChunkSubject } from "../layout/chunk_subjects.ts";
import { records } from "../layout/subjects.ts";
import type { UploadRecord } from "../layout/upload_record.ts";
import { writeChunks, type WriterNeeds } from "../objects/chunk_writer.ts";
import { compareAndSet } from "../objects/commit.ts";
import { mapLimit } from "../objects/describe.ts";
import { discardParts, trashGroup } from "../objects/trash.ts";
import { shortDigest } from "../objects/verify.ts";
import type { UploadsContext } from "./context.ts";
import { findUpload, openUpload, uploadInfo, type UploadNeeds } from "./uploads.ts";

/** Messages that are requested from a leader at a time. */
const LEADER_GETS = 64;

/**
 * Stores a part.
 *
 * @throws S3Error `NoSuchUpload`
 */
export async function putPart(
  needs: UploadNeeds & WriterNeeds & Pick<UploadsContext, "log" | "now" | "trashed" | "unfinished">,
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
  let algorithm: UploadRecord["algorithm"];
  try {
    stream = await needs.streams.get(bucket);
    await checkRoom(needs, stream, content.size);
    const { record } = await openUpload(needs, stream, key, id);
    checkPartAlgorithm(record, content.algorithm);
    algorithm = record.algorithm;
  } catch (cause) {
    await content.stream.cancel().catch(() => {});
    throw cause;
  }

  const nuid = nuidOfUpload(id);
  const attempt = newNuid(key).slice(0, ATTEMPT_LENGTH);
  const chunks = partChunkSubject(stream.store, nuid, number, attempt);
  let part: PartRecord;
  let received: Received;
  let subject: string;
  let isSent = false;
  try {
    const written = await writeChunks(needs, chunks, content, signal);
    const { chunkSize, sequences } = written;
    received = written.received;
    content.verify(received);
    const { size, md5, sha256 } = received;
    // The record does not name an algorithm: it is the upload's.
    const checksum = content.algorithm === algorithm ? received.checksum : undefined;
    signal?.throwIfAborted();
    const modified = needs.now();
    const digest = shortDigest(sha256);
    const facts = { number, size, etag: md5, checksum, modified };
    part = { ...facts, attempt, chunkSize, digest, sequences };
    const record = formatPart(stream.store, id, part);
    // Without a seek table the chunks of the part are found when they are read.
    const data = record.data.length > mapLimit(needs.requests) ? "" : record.data;
    subject = record.subject;
    isSent = true;
    // The subject contains the name of this attempt, so any message of it is this part.
    await compareAndSet(needs, stream, { subject, data, expect: 0, ttl: undefined }, () => true);
  } catch (cause) {
    // A part whose record may yet land belongs to the upload. Before the record, only chunks can be unanswered.
    if (!(isSent && cause instanceof Unanswered)) await discardParts(needs, stream, chunks);
    throw cause;
  }

  // The upload may have ended meanwhile without this part. Then nothing names the part.
  const upload = await findUpload(needs, stream, key, id);
  if (upload?.record.state === "open") return { ...partInfo(part), checksum: received.checksum };
  if (upload?.record.state === "done") {
    await trashGroup(needs, stream, key, nuid, "perhaps named");
  } else for (const left of [chunks, subject]) await discardParts(needs, stream, left);
  throw new S3Error("NoSuchUpload", { UploadId: id });
}

/**
 * Lists the parts of an upload by number.
 *
 * @throws S3Error `NoSuchUpload`
 */
export async function listParts(
  needs: UploadNeeds,
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
  const stream = await needs.streams.get(bucket);
  const all = await readParts(needs, stream, id);
  // The upload last: as long as it is open nobody purges its parts.
  const { record } = await openUpload(needs, stream, key, id);
  const parts = [...all.values()].filter(({ number }) => number > after);
  const items = parts.slice(0, limit).map(partInfo);
  const next = parts.length > items.length ? items.at(-1)?.number : undefined;
  return { upload: uploadInfo(id, record), items, next };
}

function partInfo({ number, size, etag, modified, checksum }: PartRecord): PartInfo {
  return { number, size, etag, modified, checksum };
}

/**
 * Reads the parts of an upload by number. Of each number it returns the part that was written last. Seek tables that are
 * too long for a subject are missing; {@linkcode withSequences} reads them.
 */
export async function readParts(
  { requests, streams, reportUnreadable }: UploadNeeds,
  { bucket, store, stream }: BucketStream,
  id: UploadId,
): Promise<ReadonlyMap<number, PartRecord>> {
  const attempts = new Map<number, { readonly part: PartRecord; readonly subject: string }[]>();
  for (const subject of await streams.listSubjects(stream, records.parts(store, id))) {
    const part = parsePart(store, subject);
    if (part === undefined) {
      reportUnreadable(bucket, "part", subject);
      continue;
    }
    const others = attempts.get(part.number);
    if (others === undefined) attempts.set(part.number, [{ part, subject }]);
    else others.push({ part, subject });
  }
  const parts = await mapAtOnce([...attempts.values()], LEADER_GETS, async (candidates) => {
    if (candidates.length === 1) return candidates[0]?.part;
    const found = await mapAtOnce(candidates, LEADER_GETS, async ({ subject, part }) => {
      const message = await requests.leaderGet(stream, { last_by_subj: subject });
      return { part, sequence: message?.sequence ?? 0 };
    });
    return found.reduce((last, one) => one.sequence > last.sequence ? one : last).part;
  });
  const known = parts.filter((part) => part !== undefined).sort((a, b) => a.number - b.number);
  return new Map(known.map((part) => [part.number, part]));
}

/** Returns parts with the sequences of their chunks, including long seek tables, which it reads. */
export async function withSequences(
  { requests }: Pick<UploadNeeds, "requests">,
  { store, stream }: BucketStream,
  id: UploadId,
  parts: readonly PartRecord[],
): Promise<readonly PartRecord[]> {
  return await mapAtOnce(parts, LEADER_GETS, async (part) => {
    if (part.sequences !== undefined || part.size === 0) return part;
    const { subject } = formatPart(store, id, part);
    const message = await requests.leaderGet(stream, { last_by_subj: subject });
    const count = Math.ceil(part.size / part.chunkSize);
    return { ...part, sequences: message && parseSequences(textOf(message.data), count) };
  });
}
