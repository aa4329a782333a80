/**
 * Lists the uploads in progress.
 *
 * An upload's subject has its id and not its key, so a page is known only when the records of all uploads were read. Any
 * replica returns them, hundreds with one request: a record only ever changes when its upload ends. Only the records of
 * the page are read at the leader, and only if the stream has several copies.
 * @module
 */

import type { BucketName, UploadId } from "../../s3/names.ts";
import { compareUploads, listUploadPage } from "../../s3/upload_listing.ts";
import type { UploadInfo, UploadPage, UploadQuery } from "../../store/uploads.ts";
import { readAtLeader, readCopies } from "../buckets/read_copies.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { type StoredMessage, textOf } from "../jetstream/messages.ts";
import { parseSubjectOf, records } from "../layout/subjects.ts";
import { parseUploadRecord } from "../layout/upload_record.ts";
import type { UploadsContext } from "./context.ts";
import { uploadInfo, type UploadNeeds } from "./uploads.ts";

type ListNeeds = UploadNeeds & Pick<UploadsContext, "budget">;

/**
 * Lists uploads in progress. If uploads of the page end meanwhile, it has fewer than it might.
 *
 * @throws S3Error `NoSuchBucket`
 */
export async function listUploads(
  needs: ListNeeds,
  bucket: BucketName,
  query: UploadQuery,
): Promise<UploadPage> {
  const stream = await needs.streams.read(bucket);
  if (!stream.prepared) return { uploads: [], commonPrefixes: [], next: undefined };
  const subjects = await needs.streams.listSubjects(
    stream.stream,
    records.upload(stream.store, "*"),
  );
  const uploads: UploadInfo[] = [];
  for await (const batch of readCopies(needs, stream, subjects)) {
    for (const message of batch) {
      const upload = openUploadOf(needs, stream, message);
      if (upload !== undefined) uploads.push(upload);
    }
  }
  const page = listUploadPage(uploads.sort(compareUploads), query);
  if (stream.single || !stream.direct) return page;
  return { ...page, uploads: await stillOpen(needs, stream, page.uploads) };
}

/** Returns the upload that a record describes, if it is open. */
function openUploadOf(
  { reportUnreadable }: ListNeeds,
  { bucket, store }: BucketStream,
  { subject, data }: StoredMessage,
): UploadInfo | undefined {
  const record = parseUploadRecord(textOf(data));
  if (record === undefined) reportUnreadable(bucket, "upload", subject);
  if (record?.state !== "open") return undefined;
  const id = parseSubjectOf("upload", store, subject)?.id ?? "";
  return uploadInfo(id as UploadId, record);
}

/** Returns those uploads that the leader knows to be open. */
async function stillOpen(
  needs: ListNeeds,
  stream: BucketStream,
  uploads: readonly UploadInfo[],
): Promise<readonly UploadInfo[]> {
  const subjects = uploads.map(({ id }) => records.upload(stream.store, id));
  const open = new Set<string>();
  for (const message of await readAtLeader(needs, stream, subjects)) {
    const upload = openUploadOf(needs, stream, message);
    if (upload !== undefined) open.add(upload.id);
  }
  return uploads.filter(({ id }) => open.has(id));
}
