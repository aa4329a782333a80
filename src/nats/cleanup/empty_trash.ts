/**
 * Empties the trash: purges chunk groups that were replaced longer ago than the grace, except those that a reader's lease
 * holds or that object info names.
 *
 * A completed upload is also in the trash. If its object is still current, only the records of its parts and the parts
 * that it does not use are purged.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import type { BucketName } from "../../s3/names.ts";
import type { FreeReport } from "../../store/maintenance.ts";
import { readBatches } from "../buckets/scan.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { textOf } from "../jetstream/messages.ts";
import { isNuidOf, type Nuid } from "../layout/nuid.ts";
import { partChunkSubject, records } from "../layout/subjects.ts";
import { parseTrash, type TrashRecord } from "../layout/trash_record.ts";
import type { ObjectsContext } from "../objects/context.ts";
import { purgeGroup } from "../objects/trash.ts";
import { findNamed, isNamedByKey, readLeased, readUsedParts } from "./references.ts";

/** Fields of a context that emptying the trash needs. */
export type TrashContext = Pick<
  ObjectsContext,
  "requests" | "streams" | "budget" | "grace" | "reportUnreadable"
>;

type Trash = TrashRecord & { readonly sequence: number };

/** Number of groups purged at once. */
const PURGES_AT_ONCE = 8;

/** Purges groups that have been in a bucket's trash for the grace if no reader holds them and no object names them. */
export async function emptyTrash(context: TrashContext, bucket: BucketName): Promise<FreeReport> {
  const stream = await context.streams.read(bucket);
  if (!stream.prepared) return { freed: 0, waiting: 0 };
  let leased: ReadonlySet<string> | undefined;
  let purged = 0;
  let waiting = 0;
  const doubtful: Trash[] = [];
  for await (const batch of readBatches(context, stream, records.trash(stream.store, "*"))) {
    // Both times come from nats-server, so this machine's clock does not matter.
    const due = batch.filter(({ time }) => time.getTime() + context.grace <= stream.at.getTime());
    waiting += batch.length - due.length;
    if (due.length === 0) continue;
    leased ??= await readLeased(context, stream);
    const certain: Trash[] = [];
    for (const message of due) {
      const { subject, data, sequence } = message;
      const record = parseTrash(stream.store, subject, textOf(data));
      if (record === undefined) {
        context.reportUnreadable(bucket, "trash", subject);
        continue;
      }
      const item = { ...record, sequence };
      if (leased.has(item.nuid)) waiting++;
      // A nuid that is not tied to its key may be named by another key.
      else (isNuidOf(item.nuid, item.key) ? certain : doubtful).push(item);
    }
    purged += await purgeAll(context, stream, certain, new Set());
  }
  const named = await findNamed(context, stream, new Set(doubtful.map(({ nuid }) => nuid)));
  purged += await purgeAll(context, stream, doubtful, named);
  return { freed: purged, waiting };
}

async function purgeAll(
  context: TrashContext,
  stream: BucketStream,
  trash: readonly Trash[],
  named: ReadonlySet<string>,
): Promise<number> {
  const purged = await mapAtOnce(trash, PURGES_AT_ONCE, async (item) => {
    return await purgeTrash(context, stream, item, named);
  });
  return purged.filter(Boolean).length;
}

async function purgeTrash(
  context: TrashContext,
  stream: BucketStream,
  { nuid, key, sequence }: Trash,
  named: ReadonlySet<string>,
): Promise<boolean> {
  const isNamed = await isNamedByKey(context, stream, key, nuid) || named.has(nuid);
  let purged = !isNamed;
  if (isNamed) purged = await purgeUnusedParts(context, stream, nuid);
  else await purgeGroup(context, stream, nuid);
  // By sequence: a record that was written again in the meantime stays.
  await context.streams.deleteMessage(stream.stream, sequence);
  return purged;
}

/** Purges a completed upload's attempts at parts that its chunk map does not name, and the records of all parts. */
async function purgeUnusedParts(
  context: TrashContext,
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
