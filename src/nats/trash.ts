/**
 * Chunk groups that nobody names any more.
 *
 * A replaced group may still be read, so it is recorded as trash and purged after a grace. A group that was never
 * committed has no reader and is purged at once.
 * @module
 */

import type { Context } from "./context.ts";
import { chunkSubject, type Nuid, records } from "./layout.ts";
import type { BucketStream } from "./streams.ts";

/** What of a nuid's chunks is trash. */
export type TrashKind =
  /** All of them. */
  | "group"
  /** Those of parts that the layout record does not name. */
  | "unused-parts";

/** Records that a group may be purged after the grace. What fails here the sweep finds. */
export async function trashGroup(
  { requests, log }: Context,
  { bucket, store, prepared }: BucketStream,
  nuid: Nuid | undefined,
  kind: TrashKind = "group",
): Promise<void> {
  if (nuid === undefined || !prepared) return;
  try {
    await requests.publish(records.trash(store, nuid), JSON.stringify({ kind }), { rollup: true });
  } catch (cause) {
    log.warn("trash was not recorded", { bucket, nuid, cause });
  }
}

/** Purges a group that was never committed. What fails here the sweep finds. */
export async function discardGroup(
  context: Context,
  stream: BucketStream,
  nuid: Nuid,
): Promise<void> {
  await discardParts(context, stream, chunkSubject(stream.store, nuid));
}

/** Purges what a subject of parts or chunks holds that nobody names. What fails here the sweep finds. */
export async function discardParts(
  { streams, log }: Context,
  { bucket, stream }: BucketStream,
  subject: string,
): Promise<void> {
  try {
    await streams.purge(stream, subject);
  } catch (cause) {
    log.warn("what nobody names was not purged", { bucket, subject, cause });
  }
}
