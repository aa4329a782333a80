/**
 * Finishes what full buckets refused to record: publishes delete markers, and frees chunk groups that have no trash record.
 *
 * A group is recorded as trash once there is room. Until then it is treated as if its record existed: after the grace it
 * is purged, unless a reader holds it or object info names it.
 * @module
 */

import { isS3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import type { FreeReport } from "../../store/maintenance.ts";
import { monotonic } from "../../world/world.ts";
import type { BucketStream } from "../buckets/streams.ts";
import type { ObjectsContext } from "../objects/context.ts";
import { announce, recordIfRoom } from "../objects/full_bucket.ts";
import { purgeGroup } from "../objects/trash.ts";
import type { UnfinishedWork } from "../objects/unfinished.ts";
import { findNamed, readLeased } from "./references.ts";

/** Fields of a context that finishing work needs. */
export type FinishContext = Pick<
  ObjectsContext,
  "requests" | "streams" | "budget" | "grace" | "log" | "trashed" | "unfinished"
>;

type Rest = { -readonly [field in keyof UnfinishedWork]: UnfinishedWork[field] };

/**
 * Finishes a bucket's work as far as its room allows.
 *
 * @throws S3Error `NoSuchBucket`
 */
export async function finishWork(context: FinishContext, bucket: BucketName): Promise<FreeReport> {
  const { unfinished, trashed, log } = context;
  const rest: Rest[] = unfinished.take(bucket).map((work) => ({ ...work }));
  let freed = 0;
  if (rest.length === 0) return { freed, waiting: 0 };
  try {
    const stream = await context.streams.read(bucket);
    for (const work of rest) await record(context, stream, work);
    freed = await freeDue(context, stream, rest);
  } catch (cause) {
    if (isS3Error(cause, "NoSuchBucket")) rest.length = 0;
    log.warn("work in a full bucket is still unfinished", { bucket, cause });
  }
  const left = rest.filter((work) => unfinished.add(bucket, work));
  if (left.length > 0) trashed.add(bucket);
  return { freed, waiting: left.filter(({ nuid }) => nuid !== undefined).length };
}

/** Records what there is room for now. */
async function record(context: FinishContext, stream: BucketStream, work: Rest): Promise<void> {
  const { key, nuid } = work;
  await announce(context, stream, key, work);
  if (nuid === undefined) return;
  if (await recordIfRoom(context, stream, key, nuid, "perhaps named")) work.nuid = undefined;
}

/** Purges the groups whose grace is over, except those that a reader holds or that object info names. */
async function freeDue(
  context: FinishContext,
  stream: BucketStream,
  rest: readonly Rest[],
): Promise<number> {
  const due = rest.filter(({ nuid, since }) =>
    nuid !== undefined && since + context.grace <= monotonic()
  );
  if (due.length === 0) return 0;
  const leased = await readLeased(context, stream);
  const named = await findNamed(context, stream, new Set(due.flatMap(({ nuid }) => nuid ?? [])));
  let freed = 0;
  for (const work of due) {
    const { nuid } = work;
    if (nuid === undefined || leased.has(nuid)) continue;
    if (!named.has(nuid)) {
      await purgeGroup(context, stream, nuid);
      freed++;
    }
    work.nuid = undefined;
  }
  return freed;
}
