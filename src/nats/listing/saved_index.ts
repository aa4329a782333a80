/**
 * Reads an index that some gateway saved, see `key_snapshot.ts`.
 *
 * A snapshot is used only while the messages behind it tell all deletions: those are messages that expire after 14 days. A
 * snapshot that is of another stream, history or version, too old, damaged or incomplete is ignored.
 * @module
 */

import { createHash } from "node:crypto";
import type { BucketsContext } from "../buckets/context.ts";
import type { Mark } from "../buckets/history.ts";
import type { BucketStream, StreamReading } from "../buckets/streams.ts";
import type { StoredMessage } from "../jetstream/messages.ts";
import { records } from "../layout/subjects.ts";
import { getUnchanging } from "../objects/chunk_reader.ts";
import type { IndexContent, SnapshotContext } from "./key_snapshot.ts";
import { KeyTable } from "./key_table.ts";
import { type Head, parseHead } from "./snapshot_head.ts";
import { agreesWithStream } from "./snapshot_sample.ts";
import { VersionTable } from "./version_table.ts";

/** A saved index. */
export type SavedIndex = IndexContent & {
  /** Its head, which only the right history holds. */
  readonly mark: Mark;
};

/** Milliseconds for which a snapshot is used: half of the time that tombstones live. */
const LIFETIME = 7 * 24 * 3_600_000;
/** Number of pages that are read at once. */
const PAGES_AT_ONCE = 4;

/** Returns the id of a bucket's snapshot; undefined if there is none. */
export async function readSnapshotId(
  { requests }: Pick<BucketsContext, "requests">,
  { store, stream }: BucketStream,
): Promise<string | undefined> {
  const record = await requests.leaderGet(stream, { last_by_subj: records.snapshot(store) });
  return record && parseHead(record.data)?.id;
}

/**
 * Reads a bucket's saved index; undefined if there is no usable one.
 *
 * @param max Bytes of memory that it may take.
 */
export async function readIndex(
  context: SnapshotContext,
  stream: StreamReading,
  max: number,
): Promise<SavedIndex | undefined> {
  if (!stream.prepared) return undefined;
  const subject = records.snapshot(stream.store);
  const record = await context.requests.leaderGet(stream.stream, { last_by_subj: subject });
  if (record === undefined) return undefined;
  const head = parseHead(record.data);
  if (head === undefined) context.reportUnreadable(stream.bucket, "snapshot", subject);
  if (head !== undefined && !isOf(head, stream)) return undefined;
  const tables = head && await readPages(context, stream, head, max);
  const index = head && tables && {
    ...tables,
    sequence: head.sequence,
    unlistable: head.nameless,
    read: new Date(head.read),
    mark: { subject, sequence: record.sequence, stamp: record.stamp },
  };
  if (index !== undefined && await agreesWithStream(context, stream, index)) return index;
  context.log.warn("saved index is damaged: the keys are read again", { bucket: stream.bucket });
  return undefined;
}

function isOf(head: Head, { created, lastSequence, at }: StreamReading): boolean {
  return head.proved === true && head.created === created.toISOString() &&
    head.sequence <= lastSequence && isYoung(head.begun, at) && isYoung(head.read, at);
}

function isYoung(time: string, now: Date): boolean {
  const age = now.getTime() - Date.parse(time);
  return age >= 0 && age < LIFETIME;
}

async function readPages(
  context: SnapshotContext,
  stream: BucketStream,
  { id, pages, sha256, legend, versions: head }: Head,
  max: number,
): Promise<Pick<IndexContent, "table" | "versions"> | undefined> {
  const queryOf = (page: number): { readonly last_by_subj: string } => ({
    last_by_subj: records.snapshotPage(stream.store, id, page),
  });
  const table = new KeyTable();
  const versions = new VersionTable();
  const hash = createHash("sha256");
  table.readLegend(legend);
  if (head !== undefined) versions.readLegend(head.legend);
  const all = pages + (head?.pages ?? 0);
  for (let page = 0; page < all; page += PAGES_AT_ONCE) {
    const group = Array.from({ length: Math.min(PAGES_AT_ONCE, all - page) }, (_, i) => {
      return readPage(context, stream, queryOf(page + i));
    });
    for (const [i, message] of (await Promise.all(group)).entries()) {
      if (message === undefined) return undefined;
      const { data } = message;
      const isRead = page + i < pages
        ? table.unpack(data, max)
        : versions.unpack(data, max - table.bytes);
      if (!isRead) return undefined;
      hash.update(data);
    }
  }
  return hash.digest("hex") === sha256 ? { table, versions } : undefined;
}

/** Reads a page. Pages never change, so any replica or mirror may return it. */
async function readPage(
  { requests, budget }: SnapshotContext,
  stream: BucketStream,
  query: { readonly last_by_subj: string },
): Promise<StoredMessage | undefined> {
  const max = requests.maxPayload;
  await budget.take(max);
  try {
    const options = { isBudgeted: true };
    return await getUnchanging(requests, stream, query, query.last_by_subj, "any", options);
  } finally {
    budget.give(max);
  }
}
