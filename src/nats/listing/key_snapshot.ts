/**
 * Saves an index: packed keys in messages of the bucket, so that a gateway that starts need not read all object info.
 *
 * A snapshot is written while the keys change. It includes every change up to its sequence, and perhaps later ones. A
 * reader makes it complete by applying the messages behind that sequence. The pages are written before the head, so the
 * head always names a complete snapshot; then the pages of earlier ones are purged.
 * @module
 */

import { createHash } from "node:crypto";
import { uniqueId } from "../../world/world.ts";
import type { BucketsContext } from "../buckets/context.ts";
import { lockTask, type TaskLock } from "../buckets/lock.ts";
import type { BucketStream, StreamReading } from "../buckets/streams.ts";
import type { StoreName } from "../layout/names.ts";
import { parseSubjectOf, records } from "../layout/subjects.ts";
import type { KeyTable } from "./key_table.ts";
import { formatHead, type Head, VERSION } from "./snapshot_head.ts";
import type { VersionTable } from "./version_table.ts";

/** Fields of a context that saving and reading an index need. */
export type SnapshotContext = Pick<
  BucketsContext,
  "requests" | "streams" | "budget" | "log" | "reportUnreadable"
>;

/** The content of an index. */
export type IndexContent = {
  readonly table: KeyTable;
  readonly versions: VersionTable;
  /** It includes every change up to this sequence. */
  readonly sequence: number;
  /** When all object info was read. It may include keys that have gone without a message since then. */
  readonly read: Date;
  /** Subjects that hold object info of no listable key. */
  readonly unlistable: readonly string[];
};

/** An index to save. */
export type IndexToSave = IndexContent & {
  /**
   * Finds the sequence up to which the stream has the history that led to the table as it is now. Resolves to undefined if
   * it has another one, or if the table is no longer in use.
   */
  readonly findProved: () => Promise<number | undefined>;
};

/** Bytes of a page. A leaf of the longest keys has 276 KiB. */
const PAGE = 512 * 1024;
/** Bytes of a message that its subject and headers may take. */
const OVERHEAD = 4096;
const LOCK_SECONDS = 60;

/**
 * Saves an index. Its keys may change in the meantime.
 *
 * @returns whether it was saved: not if another gateway is saving it, if there is no room, or if it may be wrong
 * @throws errors of JetStream
 */
export async function saveIndex(
  context: SnapshotContext,
  stream: StreamReading,
  index: IndexToSave,
): Promise<boolean> {
  const { streams } = context;
  const { store, bytes, quota } = stream;
  const id = uniqueId();
  // An index in memory is larger than its pages. The earlier snapshot is still stored.
  if (bytes + index.table.bytes + index.versions.bytes > quota) return false;
  const digest = "0".repeat(64); // the digest is not known yet, nor is the number of pages
  if (formatHead(headOf(id, stream, index, MAX_PAGES, MAX_PAGES, digest)) === undefined) {
    return false;
  }
  const lock = await lockTask(context, stream, "snapshot", LOCK_SECONDS);
  if (lock === undefined) return false;
  let isSaved = false;
  try {
    isSaved = await writeSnapshot(context, stream, index, id, lock);
    if (isSaved) await purgeOthers(context, stream, id);
    return isSaved;
  } finally {
    // What cannot be purged now is swept.
    if (!isSaved) {
      await streams.purge(stream.stream, records.snapshotPage(store, id, "*")).catch(() => {});
    }
    await lock.release().catch(() => {}); // it expires
  }
}

const MAX_PAGES = Number.MAX_SAFE_INTEGER;

function headOf(
  id: string,
  { created, at }: StreamReading,
  { table, versions, sequence, read, unlistable }: IndexContent,
  pages: number,
  versionPages: number,
  sha256: string,
): Head {
  return {
    version: VERSION,
    id,
    created: created.toISOString(),
    sequence,
    begun: at.toISOString(),
    read: read.toISOString(),
    pages,
    proved: true,
    sha256,
    legend: table.legend,
    ...(versionPages > 0 && { versions: { pages: versionPages, legend: versions.legend } }),
    nameless: unlistable,
  };
}

/** Writes the pages and then the head. Resolves to false, and leaves pages behind, if the snapshot may be wrong. */
async function writeSnapshot(
  { requests }: SnapshotContext,
  stream: StreamReading,
  index: IndexToSave,
  id: string,
  lock: TaskLock,
): Promise<boolean> {
  const { store } = stream;
  const max = requests.maxPayload - OVERHEAD;
  const hash = createHash("sha256");
  let pages = 0;
  let keyPages = 0;
  let last = { subject: "", expect: 0 };
  for (const table of [index.table, index.versions]) {
    keyPages = pages;
    // There is always a page of keys, but none of versions in a bucket that never had any.
    let next: string | undefined = table === index.table || table.size > 0 ? "" : undefined;
    while (next !== undefined) {
      const page = table.pack(next, Math.min(PAGE, max));
      if (page.data.length > max) return false;
      hash.update(page.data);
      const subject = records.snapshotPage(store, id, pages);
      last = { subject, expect: await requests.publish(subject, page.data) };
      pages++;
      next = page.next;
      if (pages % 64 === 0 && !await lock.renew()) return false;
    }
  }
  const proved = await index.findProved();
  if (proved === undefined) return false;
  const content = { ...index, sequence: Math.min(index.sequence, proved) };
  const sha256 = hash.digest("hex");
  const text = formatHead(headOf(id, stream, content, keyPages, pages - keyPages, sha256));
  if (text === undefined || !await lock.renew()) return false;
  // A stream that has lost the last page refuses this, so one that holds this has the history that was checked.
  await requests.publish(records.snapshot(store), text, {
    rollup: true,
    expect: last.expect,
    expectOf: last.subject,
  });
  return true;
}

async function purgeOthers(
  { streams }: SnapshotContext,
  { store, stream }: BucketStream,
  kept: string,
): Promise<void> {
  const subjects = await streams.listSubjects(stream, records.snapshotPage(store, "*", "*"));
  for (const id of new Set(subjects.map((subject) => idOfPage(store, subject)))) {
    if (id !== kept) await streams.purge(stream, records.snapshotPage(store, id, "*"));
  }
}

/** Returns the id of the snapshot that a page belongs to. */
function idOfPage(store: StoreName, subject: string): string {
  return parseSubjectOf("snapshot", store, subject)?.id ?? "";
}
