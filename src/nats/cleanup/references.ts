/**
 * Records that name a chunk group. The trash and the sweep purge a group only if this file says that nothing names it.
 *
 * The object info of a key names its object's group. Beside object info, records under `S3.` hold groups that no object
 * info names, or not yet: each kind has a row in {@linkcode HOLDERS}. `identity.ts` tells what keeps a subject.
 *
 * A completed upload names its parts twice: its object info names the group, and the group's chunk map names the attempt
 * at each part that counts.
 * @module
 */

import type { BucketsContext } from "../buckets/context.ts";
import { readBatches } from "../buckets/scan.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { textOf } from "../jetstream/messages.ts";
import { parseChunkMap } from "../layout/chunk_map.ts";
import { groupNamedBy } from "../layout/info_json.ts";
import type { Nuid } from "../layout/nuid.ts";
import { partChunkSubject } from "../layout/chunk_subjects.ts";
import { parseSubjectOf, type RecordKind, records } from "../layout/subjects.ts";
import { parseUploadRecord } from "../layout/upload_record.ts";
import { readSnapshotId } from "../listing/saved_index.ts";
import { readInfos } from "./read_infos.ts";

/** Fields of a context that reading references needs. */
export type ReferencesContext = NamesContext & Pick<BucketsContext, "reportUnreadable">;

/** Fields of a context that a look at names needs. */
type NamesContext = Pick<BucketsContext, "requests" | "streams" | "budget">;

/** Receives the id of each chunk group that a record keeps. */
type Hold = (id: string) => void;

/** Reads the ids that records of a kind keep. */
type ReadHolders = (context: ReferencesContext, stream: BucketStream, hold: Hold) => Promise<void>;

/**
 * The kinds of records that keep ids, in the order in which the sweep reads them. A kind without a row does not compile.
 *
 * Completing an upload ends it and adds it to the trash in one batch, so uploads are read before the trash: an upload that
 * is completed in between is then found there.
 */
const HOLDERS: Readonly<Record<RecordKind, ReadHolders | undefined>> = {
  upload: readOpenUploads,
  lease: readLeases,
  trash: readTrashed,
  snapshot: readSavedIndex,
  bucket: undefined,
  layout: undefined,
  lock: undefined,
  part: undefined,
  rename: undefined,
  renamed: undefined,
  sync: undefined,
  version: undefined,
};

/** Reads the ids that records keep, one kind after another. */
export async function readHolders(
  context: ReferencesContext,
  stream: BucketStream,
  hold: Hold,
): Promise<void> {
  if (!stream.prepared) return;
  for (const read of Object.values(HOLDERS)) await read?.(context, stream, hold);
}

/** Reads the nuids that readers hold now. */
export async function readLeased(
  context: NamesContext,
  stream: BucketStream,
): Promise<ReadonlySet<string>> {
  const leased = new Set<string>();
  await readLeases(context, stream, (id) => leased.add(id));
  return leased;
}

/** Returns those of some nuids that the object info of any key names. Reads all object info, unless there are none. */
export async function findNamed(
  context: NamesContext,
  stream: BucketStream,
  nuids: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  if (nuids.size === 0) return named;
  const end = await readInfos(context, stream, ({ data }) => {
    const nuid = groupNamedBy(data);
    if (nuid !== undefined && nuids.has(nuid)) named.add(nuid);
  });
  if (typeof end === "string") throw new Error(`Names were not read to their end: ${end}`);
  return named;
}

/** Reads the subjects of the parts that a group's chunk map names; undefined if the group has no chunk map of parts. */
export async function readUsedParts(
  { requests, reportUnreadable }: Pick<ReferencesContext, "requests" | "reportUnreadable">,
  { bucket, store, stream }: BucketStream,
  nuid: Nuid,
): Promise<ReadonlySet<string> | undefined> {
  const subject = records.layout(store, nuid);
  const record = await requests.leaderGet(stream, { last_by_subj: subject });
  const map = record && parseChunkMap(textOf(record.data));
  if (record !== undefined && map === undefined) reportUnreadable(bucket, "layout", subject);
  if (map?.kind !== "parts") return undefined;
  return new Set(
    map.parts.map(({ number, attempt }) => partChunkSubject(store, nuid, number, attempt)),
  );
}

async function readOpenUploads(
  context: ReferencesContext,
  stream: BucketStream,
  hold: Hold,
): Promise<void> {
  const { bucket, store } = stream;
  for await (const batch of readBatches(context, stream, records.upload(store, "*"))) {
    for (const { subject, data } of batch) {
      const record = parseUploadRecord(textOf(data));
      if (record === undefined) context.reportUnreadable(bucket, "upload", subject);
      // An upload that cannot be read keeps its parts.
      if (record !== undefined && record.state !== "open") continue;
      hold(parseSubjectOf("upload", store, subject)?.id ?? "");
    }
  }
}

async function readLeases(
  { streams }: NamesContext,
  { store, stream }: BucketStream,
  hold: Hold,
): Promise<void> {
  for await (const page of streams.subjectPages(stream, records.lease(store, "*", "*"))) {
    for (const subject of Object.keys(page)) {
      hold(parseSubjectOf("lease", store, subject)?.nuid ?? "");
    }
  }
}

async function readTrashed(
  { streams }: NamesContext,
  { store, stream }: BucketStream,
  hold: Hold,
): Promise<void> {
  for await (const page of streams.subjectPages(stream, records.trash(store, "*"))) {
    for (const subject of Object.keys(page)) {
      hold(parseSubjectOf("trash", store, subject)?.nuid ?? "");
    }
  }
}

async function readSavedIndex(
  context: NamesContext,
  stream: BucketStream,
  hold: Hold,
): Promise<void> {
  const id = await readSnapshotId(context, stream);
  if (id !== undefined) hold(id);
}
