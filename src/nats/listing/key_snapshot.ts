/**
 * A saved index: packed keys in messages of the bucket, so that a gateway that starts need not read all object info.
 *
 * A snapshot is written while the keys change. It includes every change up to its sequence, and perhaps later ones. A
 * reader makes it complete by applying the messages behind that sequence. The pages are written before the head, so the
 * head always names a complete snapshot; then the pages of earlier ones are purged.
 *
 * A snapshot is used only while the messages behind it tell all deletions: those are messages that expire after 14 days. A
 * snapshot that is of another stream or version, too old, damaged or incomplete is ignored.
 * @module
 */

import { createHash } from "node:crypto";
import { uniqueId } from "../../world/world.ts";
import type { BucketsContext } from "../buckets/context.ts";
import { lockTask } from "../buckets/lock.ts";
import type { BucketStream, StreamReading } from "../buckets/streams.ts";
import { textOf } from "../jetstream/messages.ts";
import type { StoreName } from "../layout/names.ts";
import { parseSubjectOf, records } from "../layout/subjects.ts";
import { getUnchanging } from "../objects/chunk_reader.ts";
import type { KeyLegend } from "./key_packing.ts";
import { KeyTable } from "./key_table.ts";

/** Fields of a context that saving and reading an index need. */
export type SnapshotContext = Pick<BucketsContext, "requests" | "streams" | "budget" | "log">;

/** An index as it is saved. */
export type SavedIndex = {
  readonly table: KeyTable;
  /** It includes every change up to this sequence. */
  readonly sequence: number;
  /** When all object info was read. It may include keys that have gone without a message since then. */
  readonly read: Date;
  /** Subjects that hold object info of no listable key. */
  readonly unlistable: readonly string[];
};

type Head = {
  readonly version: number;
  readonly id: string;
  /** When the stream was created. */
  readonly created: string;
  readonly sequence: number;
  /** When writing the snapshot began, and when all object info was read, by nats-server's clock. */
  readonly begun: string;
  readonly read: string;
  readonly pages: number;
  /** Digest of all pages, in hexadecimal. */
  readonly sha256: string;
  readonly legend: KeyLegend;
  readonly nameless: readonly string[];
};

const VERSION = 1;
/** Milliseconds for which a snapshot is used: half of the time that tombstones live. */
const LIFETIME = 7 * 24 * 3_600_000;
/** Bytes of a page. A leaf of the longest keys has 276 KiB. */
const PAGE = 512 * 1024;
/** With more ETags or subjects than this that do not fit into pages, no snapshot is written. */
const MAX_ODD = 1000;
/** Largest size of the head in bytes. */
const MAX_HEAD = 256 * 1024;
const LOCK_SECONDS = 60;
/** Number of pages that are read at once. */
const PAGES_AT_ONCE = 4;

/**
 * Saves an index. Its keys may change in the meantime.
 *
 * @returns whether it was saved: not if another gateway is saving it, or if there is no room
 * @throws errors of JetStream; the sweep then frees the pages that were written
 */
export async function saveIndex(
  context: SnapshotContext,
  stream: StreamReading,
  { table, sequence, read, unlistable }: SavedIndex,
): Promise<boolean> {
  const { requests } = context;
  const { store, bytes, quota, created, at } = stream;
  const fits = table.legend.oddETags.length + unlistable.length <= MAX_ODD &&
    requests.maxPayload > PAGE;
  // An index in memory is larger than its pages. The earlier snapshot is still stored.
  if (!fits || bytes + table.bytes > quota) return false;
  const lock = await lockTask(context, stream, "snapshot", LOCK_SECONDS);
  if (lock === undefined) return false;
  try {
    const id = uniqueId();
    const hash = createHash("sha256");
    let pages = 0;
    for (let next: string | undefined = ""; next !== undefined;) {
      const page = table.pack(next, PAGE);
      hash.update(page.data);
      await requests.publish(records.snapshotPage(store, id, pages), page.data);
      pages++;
      next = page.next;
      if (pages % 64 === 0 && !await lock.renew()) return false;
    }
    const head: Head = {
      version: VERSION,
      id,
      created: created.toISOString(),
      sequence,
      begun: at.toISOString(),
      read: read.toISOString(),
      pages,
      sha256: hash.digest("hex"),
      legend: table.legend,
      nameless: unlistable,
    };
    const text = JSON.stringify(head);
    if (text.length > MAX_HEAD || !await lock.renew()) return false;
    await requests.publish(records.snapshot(store), text, { rollup: true });
    await purgeOthers(context, stream, id);
    return true;
  } finally {
    await lock.release().catch(() => {}); // it expires
  }
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

/** Returns the id of a bucket's snapshot; undefined if there is none. */
export async function readSnapshotId(
  { requests }: Pick<BucketsContext, "requests">,
  { store, stream }: BucketStream,
): Promise<string | undefined> {
  const record = await requests.leaderGet(stream, { last_by_subj: records.snapshot(store) });
  return record && parseHead(textOf(record.data))?.id;
}

/**
 * Reads a bucket's saved index; undefined if there is no usable one.
 *
 * @param max Bytes of memory after which reading ends. The caller then finds the index too large.
 */
export async function readIndex(
  context: SnapshotContext,
  stream: StreamReading,
  max: number,
): Promise<SavedIndex | undefined> {
  if (!stream.prepared) return undefined;
  const record = await context.requests.leaderGet(stream.stream, {
    last_by_subj: records.snapshot(stream.store),
  });
  if (record === undefined) return undefined;
  const head = parseHead(textOf(record.data));
  if (head === undefined || !isOf(head, stream)) return undefined;
  const table = await readPages(context, stream, head, max);
  if (table === undefined) {
    context.log.warn("saved index is damaged: the keys are read again", { bucket: stream.bucket });
    return undefined;
  }
  const { sequence, nameless: unlistable, read } = head;
  return { table, sequence, unlistable, read: new Date(read) };
}

function isOf(head: Head, { created, lastSequence, at }: StreamReading): boolean {
  return head.version === VERSION && head.created === created.toISOString() &&
    head.sequence <= lastSequence && isYoung(head.begun, at) && isYoung(head.read, at);
}

function isYoung(time: string, now: Date): boolean {
  const age = now.getTime() - Date.parse(time);
  return age >= 0 && age < LIFETIME;
}

async function readPages(
  context: SnapshotContext,
  stream: BucketStream,
  { id, pages, sha256, legend }: Head,
  max: number,
): Promise<KeyTable | undefined> {
  const table = new KeyTable();
  const hash = createHash("sha256");
  table.readLegend(legend);
  for (let page = 0; page < pages; page += PAGES_AT_ONCE) {
    if (table.bytes > max) return table;
    const group = Array.from(
      { length: Math.min(PAGES_AT_ONCE, pages - page) },
      (_, i) => readPage(context, stream, records.snapshotPage(stream.store, id, page + i)),
    );
    for (const data of await Promise.all(group)) {
      if (data === undefined || !table.unpack(data)) return undefined;
      hash.update(data);
    }
  }
  return hash.digest("hex") === sha256 ? table : undefined;
}

/** Reads a page. Pages never change, so any replica may return it. */
async function readPage(
  { requests, budget }: SnapshotContext,
  stream: BucketStream,
  subject: string,
): Promise<Uint8Array | undefined> {
  await budget.take(PAGE);
  try {
    const query = { last_by_subj: subject };
    const options = { isBudgeted: true };
    const message = await getUnchanging(requests, stream, query, subject, "any", options);
    return message?.data;
  } finally {
    budget.give(PAGE);
  }
}

/** Parses the head of a snapshot; undefined if it is not one, because any NATS client may write anything there. */
function parseHead(text: string): Head | undefined {
  try {
    const head = JSON.parse(text) as Partial<Head> | null;
    const { version, id, created, sequence, begun, read, pages, sha256 } = head ?? {};
    const texts = [id, created, begun, read, sha256];
    const isHead = isTexts(texts) && version === VERSION &&
      [sequence, pages].every(Number.isSafeInteger) && isLegend(head?.legend) &&
      isTexts(head?.nameless);
    return isHead ? head as Head : undefined;
  } catch {
    return undefined;
  }
}

function isLegend(legend: unknown): boolean {
  const { traits, oddETags } = legend as Partial<KeyLegend>;
  return Array.isArray(traits) && Array.isArray(oddETags) &&
    traits.every((one) => isTexts(Object.values(one))) &&
    oddETags.every((pair) => isTexts(pair) && pair.length === 2);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
