/**
 * Records that name a chunk group. The trash and the sweep purge a group only if this file says that nothing names it.
 *
 * The object info of a key names its object's group. Beside object info, each kind of record under `S3.` has a row in
 * {@linkcode ROWS}: the names in such records, and the sources that keep them. A kind without a row does not compile.
 * The sweep stops at a kind that it does not know, because an older gateway must not delete a newer one's data.
 *
 * A completed upload names its parts twice: its object info names the group, and the group's chunk map names the attempt
 * at each part that counts.
 * @module
 */

import type { BucketsContext } from "../buckets/context.ts";
import { readAll } from "../buckets/read_all.ts";
import { readMessages } from "../buckets/scan.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { type Delivery, textOf } from "../jetstream/messages.ts";
import { parseChunkMap } from "../layout/chunk_map.ts";
import { groupNamedBy } from "../layout/info_json.ts";
import type { Nuid } from "../layout/nuid.ts";
import {
  parseChunkSubject,
  parseRecordSubject,
  parseSubjectOf,
  partChunkSubject,
  type RecordKind,
  records,
  subjectsOf,
} from "../layout/subjects.ts";
import { parseUploadRecord } from "../layout/upload_record.ts";
import { readSnapshotId } from "../listing/saved_index.ts";
import { leasedGroups } from "../objects/trash.ts";
import { keptIdOf } from "./kept_id.ts";

/** Fields of a context that reading references needs. */
export type ReferencesContext = NamesContext & Pick<BucketsContext, "reportUnreadable">;

/** Fields of a context that a look at names needs. */
type NamesContext = Pick<BucketsContext, "requests" | "streams" | "budget">;

/** A source of names: object info, or a kind of record. */
type Referrer = "info" | RecordKind;

/** Names in records of a kind, and the sources that keep such records. */
type Row = {
  /** Reads the ids that records of this kind name; absent if they name none. */
  readonly read?: (
    context: ReferencesContext,
    stream: BucketStream,
  ) => Promise<ReadonlySet<string>>;
  /** Sources whose names keep a record of this kind, see {@linkcode keptIdOf}; absent if the sweep leaves the kind alone. */
  readonly keptBy?: readonly Referrer[];
};

/** Sources that name a group although no object info does, or not yet. */
const HOLDERS = ["upload", "lease", "trash"] as const satisfies readonly Referrer[];

/**
 * The kinds of records, in the order in which the sweep reads them. Completing an upload ends it and adds it to the trash
 * in one batch, so uploads are read before the trash: an upload that is completed in between is then found there.
 */
const ROWS: Readonly<Record<RecordKind, Row>> = {
  upload: { read: readOpenUploads },
  lease: { read: leasedGroups },
  trash: { read: readTrashed },
  snapshot: { read: readSavedIndex, keptBy: ["snapshot"] },
  layout: { keptBy: ["info", ...HOLDERS] },
  part: { keptBy: HOLDERS },
  bucket: {},
  lock: {},
  sync: {},
};

/** All names in a bucket, as of when {@linkcode readReferences} read them. */
export class References {
  readonly #context: ReferencesContext;
  readonly #stream: BucketStream;
  readonly #names: ReadonlyMap<Referrer, ReadonlySet<string>>;
  readonly #usedParts = new Map<string, Promise<ReadonlySet<string> | undefined>>();

  constructor(
    context: ReferencesContext,
    stream: BucketStream,
    names: ReadonlyMap<Referrer, ReadonlySet<string>>,
  ) {
    this.#context = context;
    this.#stream = stream;
    this.#names = names;
  }

  /** Tells whether nothing names the chunks of a subject. A subject of an unknown shape counts as named. */
  async isOrphanChunk(subject: string): Promise<boolean> {
    const chunks = parseChunkSubject(this.#stream.store, subject);
    if (chunks === undefined) return false;
    // Object info of a native client may name a group by any text.
    if (this.#isNamed(chunks.name, ["info"])) return false;
    if (chunks.kind === "foreign") {
      this.#context.reportUnreadable(this.#stream.bucket, "chunks", subject);
      return false;
    }
    const { kind, nuid } = chunks;
    if (this.#isNamed(nuid, HOLDERS)) return false;
    if (!this.#isNamed(nuid, ["info"])) return true;
    if (kind === "group") return false;
    // The object is current, so its chunk map tells whether it uses this attempt at the part.
    const used = this.#usedParts.get(nuid) ?? readUsedParts(this.#context, this.#stream, nuid);
    this.#usedParts.set(nuid, used);
    return (await used)?.has(subject) === false;
  }

  /** Tells whether nothing keeps a record any more. */
  isOrphanRecord(subject: string): boolean {
    const { bucket, store } = this.#stream;
    const record = parseRecordSubject(store, subject);
    const kept = record && keptIdOf(store, subject, record);
    if (record === undefined || kept === undefined) return false;
    if (kept === "unreadable") {
      this.#context.reportUnreadable(bucket, record.kind, subject);
      return false;
    }
    const { keptBy } = ROWS[record.kind];
    return keptBy !== undefined && !this.#isNamed(kept.id, keptBy);
  }

  #isNamed(id: string, by: readonly Referrer[]): boolean {
    return by.some((referrer) => this.#names.get(referrer)?.has(id) === true);
  }
}

/**
 * Reads all names in a bucket.
 *
 * @param onInfo Called with each message of object info.
 */
export async function readReferences(
  context: ReferencesContext,
  stream: BucketStream,
  onInfo: (delivery: Delivery) => void,
): Promise<References> {
  const objects = new Set<string>();
  const names = new Map<Referrer, ReadonlySet<string>>([["info", objects]]);
  await readAll(context, stream, subjectsOf(stream.store).infos, (delivery) => {
    const named = groupNamedBy(delivery.data);
    if (named !== undefined) objects.add(named);
    onInfo(delivery);
  });
  if (stream.prepared) {
    for (const [kind, { read }] of Object.entries(ROWS)) {
      if (read !== undefined) names.set(kind as RecordKind, await read(context, stream));
    }
  }
  return new References(context, stream, names);
}

/** Reads the nuids that readers hold now. */
export function readLeased(
  context: NamesContext,
  stream: BucketStream,
): Promise<ReadonlySet<string>> {
  return leasedGroups(context, stream);
}

/** Returns those of some nuids that the object info of any key names. Reads all object info, unless there are none. */
export async function findNamed(
  context: NamesContext,
  stream: BucketStream,
  nuids: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  if (nuids.size === 0) return named;
  await readAll(context, stream, subjectsOf(stream.store).infos, ({ data }) => {
    const nuid = groupNamedBy(data);
    if (nuid !== undefined && nuids.has(nuid)) named.add(nuid);
  });
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
): Promise<ReadonlySet<string>> {
  const { store } = stream;
  const open = new Set<string>();
  for (const { subject, data } of await readMessages(context, stream, records.upload(store, "*"))) {
    const record = parseUploadRecord(textOf(data));
    if (record === undefined) context.reportUnreadable(stream.bucket, "upload", subject);
    // An upload that cannot be read keeps its parts.
    if (record === undefined || record.state === "open") {
      open.add(parseSubjectOf("upload", store, subject)?.id ?? "");
    }
  }
  return open;
}

async function readTrashed(
  { streams }: ReferencesContext,
  { store, stream }: BucketStream,
): Promise<ReadonlySet<string>> {
  const subjects = await streams.listSubjects(stream, records.trash(store, "*"));
  return new Set(subjects.map((subject) => parseSubjectOf("trash", store, subject)?.nuid ?? ""));
}

async function readSavedIndex(
  context: ReferencesContext,
  stream: BucketStream,
): Promise<ReadonlySet<string>> {
  const id = await readSnapshotId(context, stream);
  return new Set(id === undefined ? [] : [id]);
}
