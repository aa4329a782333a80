/**
 * Empties the trash: purges the chunk groups that were replaced longer ago than the grace, unless a reader's lease holds
 * them or an object names them.
 *
 * A completed upload is in the trash as well: of an object that is still current, the records of its parts and the parts
 * that it does not use are purged.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { FreeReport } from "../../store/maintenance.ts";
import { readAll } from "../buckets/feed.ts";
import { readBatches } from "../buckets/scan.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { type StoredMessage, textOf } from "../jetstream/messages.ts";
import { parseChunkMap } from "../layout/chunk_map.ts";
import type { StoreName } from "../layout/names.ts";
import { isNuidOf, type Nuid, parseNuid } from "../layout/nuid.ts";
import { nuidOfInfo } from "../layout/object_info.ts";
import {
  keyOfSubject,
  parseSubjectOf,
  partChunkSubject,
  records,
  subjectsOf,
} from "../layout/subjects.ts";
import { readCurrent } from "../objects/commit.ts";
import { leasedGroups, purgeGroup } from "../objects/trash.ts";
import type { UploadsContext } from "../uploads/context.ts";

type Trash = {
  readonly nuid: Nuid;
  readonly key: ObjectKey;
  readonly sequence: number;
};

/** Groups purged at once. */
const CONCURRENCY = 8;

/** Purges what has been in a bucket's trash for the grace, and that no reader holds and no object names. */
export async function emptyTrash(
  context: UploadsContext,
  bucket: BucketName,
): Promise<FreeReport> {
  const stream = await context.streams.read(bucket);
  if (!stream.prepared) return { freed: 0, waiting: 0 };
  let leased: ReadonlySet<string> | undefined;
  let purged = 0;
  let waiting = 0;
  const doubtful: Trash[] = [];
  for await (const batch of readBatches(context, stream, records.trash(stream.store, "*"))) {
    // Both times are nats-server's: this machine's clock has no say.
    const due = batch.filter(({ time }) => time.getTime() + context.grace <= stream.at.getTime());
    waiting += batch.length - due.length;
    if (due.length === 0) continue;
    leased ??= await leasedGroups(context, stream);
    const certain: Trash[] = [];
    for (const message of due) {
      const item = parseTrash(stream.store, message);
      if (item === undefined) continue;
      if (leased.has(item.nuid)) waiting++;
      else (isNuidOf(item.nuid, item.key) ? certain : doubtful).push(item);
    }
    purged += await purgeAll(context, stream, certain, new Set());
  }
  purged += await purgeAll(
    context,
    stream,
    doubtful,
    await namedElsewhere(context, stream, doubtful),
  );
  return { freed: purged, waiting };
}

async function purgeAll(
  context: UploadsContext,
  stream: BucketStream,
  trash: readonly Trash[],
  named: ReadonlySet<string>,
): Promise<number> {
  const purged = await mapAtOnce(trash, CONCURRENCY, async (item) => {
    return await purgeTrash(context, stream, item, named);
  });
  return purged.filter(Boolean).length;
}

/** Of trash that the nuid itself does not tie to its key: the nuids that some object names after all. */
async function namedElsewhere(
  context: UploadsContext,
  stream: BucketStream,
  trash: readonly Trash[],
): Promise<ReadonlySet<string>> {
  const doubtful = new Set<string>(trash.map(({ nuid }) => nuid));
  const named = new Set<string>();
  if (doubtful.size === 0) return named;
  await readAll(context, stream, subjectsOf(stream.store).infos, ({ subject, data }) => {
    const nuid = nuidOfInfo(data);
    if (nuid !== undefined && doubtful.has(nuid) && keyOfSubject(stream.store, subject)) {
      named.add(nuid);
    }
  });
  return named;
}

async function purgeTrash(
  context: UploadsContext,
  stream: BucketStream,
  { nuid, key, sequence }: Trash,
  named: ReadonlySet<string>,
): Promise<boolean> {
  const current = await readCurrent(context, stream, key);
  const isNamed = named.has(nuid) || current.nuid === nuid;
  let purged = !isNamed;
  if (isNamed) purged = await purgeUnusedParts(context, stream, nuid);
  else await purgeGroup(context, stream, nuid);
  // By sequence: a record that was written again meanwhile stays.
  await context.streams.deleteMessage(stream.stream, sequence);
  return purged;
}

/** Purges what a completed upload's layout does not name: attempts at parts, and the records of all parts. */
async function purgeUnusedParts(
  context: UploadsContext,
  stream: BucketStream,
  nuid: Nuid,
): Promise<boolean> {
  const used = await readUsedParts(context, stream, nuid);
  if (used === undefined) return false;
  const filter = partChunkSubject(stream.store, nuid, "*", "*");
  let purged = false;
  for (const subject of await context.streams.listSubjects(stream.stream, filter)) {
    if (used.has(subject)) continue;
    await context.streams.purge(stream.stream, subject);
    purged = true;
  }
  await context.streams.purge(stream.stream, records.parts(stream.store, nuid));
  return purged;
}

/** Subjects of the parts that a layout names; undefined where there is no layout of parts. */
export async function readUsedParts(
  { requests }: UploadsContext,
  { store, stream }: BucketStream,
  nuid: Nuid,
): Promise<ReadonlySet<string> | undefined> {
  const record = await requests.leaderGet(stream, { last_by_subj: records.layout(store, nuid) });
  const layout = record && parseChunkMap(textOf(record.data));
  if (layout?.kind !== "parts") return undefined;
  return new Set(
    layout.parts.map(({ number, attempt }) => partChunkSubject(store, nuid, number, attempt)),
  );
}

function parseTrash(
  store: StoreName,
  { subject, data, sequence }: StoredMessage,
): Trash | undefined {
  const nuid = parseNuid(parseSubjectOf("trash", store, subject)?.nuid);
  try {
    const { key } = JSON.parse(textOf(data)) as { readonly key?: unknown };
    if (nuid === undefined || typeof key !== "string") return undefined;
    return { nuid, key: key as ObjectKey, sequence };
  } catch {
    return undefined;
  }
}
