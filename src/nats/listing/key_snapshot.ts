/**
 * A saved index: packed keys in messages of the bucket, so that a gateway that starts need not read all object info.
 *
 * A snapshot is written while the keys change. It has every change up to its sequence, and perhaps later ones; whoever
 * reads it applies what follows that sequence, which makes it whole. Its pages are written first and its head last, so
 * that there is always a whole one; the pages of earlier ones are purged then.
 *
 * It is believed only while what follows it tells all that was deleted: deletions leave messages that expire after 14
 * days. One of another stream, of another version, too old, damaged or incomplete counts as none.
 * @module
 */

import { createHash } from "node:crypto";
import type { BucketsContext } from "../buckets/context.ts";
import type { KeyLegend } from "./key_packing.ts";
import { KeyTable } from "./key_table.ts";
import type { StoreName } from "../layout/names.ts";
import { parseSubjectOf, records } from "../layout/subjects.ts";
import { textOf } from "../jetstream/messages.ts";
import type { BucketStream, StreamReading } from "../buckets/streams.ts";
import { lockTask } from "../buckets/lock.ts";
import { uniqueId } from "../../world/world.ts";

/** Fields of a context that saving and reading an index need. */
export type SnapshotContext = Pick<BucketsContext, "requests" | "streams" | "budget" | "log">;

/** An index as it is saved. */
export type SavedIndex = {
  readonly table: KeyTable;
  /** Every change up to here is in it. */
  readonly sequence: number;
  /** When all object info was read: what was removed without a message since may still be in it. */
  readonly read: Date;
  /** Subjects that hold object info and are no key. */
  readonly unlistable: readonly string[];
};

type Head = {
  readonly version: number;
  readonly id: string;
  /** When the stream was created. */
  readonly created: string;
  readonly sequence: number;
  /** When the snapshot was begun, and when all object info was read, by nats-server's clock. */
  readonly begun: string;
  readonly read: string;
  readonly pages: number;
  /** Of all pages, in hex. */
  readonly sha256: string;
  readonly legend: KeyLegend;
  readonly nameless: readonly string[];
};

const VERSION = 1;
/** Half of the time that tombstones live, in milliseconds. */
const LIFE = 7 * 24 * 3_600_000;
/** Bytes of a page; a leaf of the longest keys has 276 KiB. */
const PAGE = 512 * 1024;
/** With more ETags or subjects that do not fit into pages there is no snapshot. */
const MOST_ODD = 1000;
/** Bytes of the head, beside what does not fit into pages. */
const MOST_HEAD = 256 * 1024;
const LOCK_SECONDS = 60;
/** Pages read at once. */
const CONCURRENCY = 4;

/**
 * Saves an index. Its keys may change meanwhile.
 *
 * @returns whether it was saved: not where another gateway is at it, or there is no room
 * @throws as JetStream does; what was written then is the sweep's
 */
export async function saveIndex(
  context: SnapshotContext,
  stream: StreamReading,
  { table, sequence, read, unlistable }: SavedIndex,
): Promise<boolean> {
  const { requests } = context;
  const { store, bytes, quota, created, at } = stream;
  const fits = table.legend.oddETags.length + unlistable.length <= MOST_ODD;
  // An index in memory is larger than its pages; the one before it is still there.
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
    if (text.length > MOST_HEAD || !await lock.renew()) return false;
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

/** The id of the snapshot that a page's subject belongs to. */
function idOfPage(store: StoreName, subject: string): string {
  return parseSubjectOf("snapshot", store, subject)?.id ?? "";
}

/** The id of a bucket's snapshot; undefined where there is none. */
export async function readSnapshotId(
  { requests }: Pick<BucketsContext, "requests">,
  { store, stream }: BucketStream,
): Promise<string | undefined> {
  const record = await requests.leaderGet(stream, { last_by_subj: records.snapshot(store) });
  return record && parseHead(textOf(record.data))?.id;
}

/**
 * Reads a bucket's saved index; undefined where there is none that can be believed.
 *
 * @param most Bytes of memory after which reading ends: whoever goes on from there finds it too large.
 */
export async function readIndex(
  context: SnapshotContext,
  stream: StreamReading,
  most: number,
): Promise<SavedIndex | undefined> {
  if (!stream.prepared) return undefined;
  const record = await context.requests.leaderGet(stream.stream, {
    last_by_subj: records.snapshot(stream.store),
  });
  if (record === undefined) return undefined;
  const head = parseHead(textOf(record.data));
  if (head === undefined || !isOf(head, stream)) return undefined;
  const table = await readPages(context, stream, head, most);
  if (table === undefined) {
    context.log.warn("saved index is damaged: the keys are read anew", { bucket: stream.bucket });
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
  return age >= 0 && age < LIFE;
}

async function readPages(
  context: SnapshotContext,
  stream: BucketStream,
  { id, pages, sha256, legend }: Head,
  most: number,
): Promise<KeyTable | undefined> {
  const table = new KeyTable();
  const hash = createHash("sha256");
  table.readLegend(legend);
  for (let page = 0; page < pages; page += CONCURRENCY) {
    if (table.bytes > most) return table;
    const group = Array.from(
      { length: Math.min(CONCURRENCY, pages - page) },
      (_, i) => readPage(context, stream, records.snapshotPage(stream.store, id, page + i)),
    );
    for (const data of await Promise.all(group)) {
      if (data === undefined || !table.unpack(data)) return undefined;
      hash.update(data);
    }
  }
  return hash.digest("hex") === sha256 ? table : undefined;
}

/** A page never changes, so any replica that has it will do. */
async function readPage(
  { requests, budget }: SnapshotContext,
  { stream }: BucketStream,
  subject: string,
): Promise<Uint8Array | undefined> {
  await budget.take(PAGE);
  try {
    const query = { last_by_subj: subject };
    const message = await requests.directGet(stream, query) ??
      await requests.leaderGet(stream, query);
    return message?.data;
  } finally {
    budget.give(PAGE);
  }
}

/** Undefined for what is no head of a snapshot: whoever may write to NATS may write anything there. */
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
