/**
 * Reads chunk groups without a seek table: those of native clients, and those whose table a native client dropped.
 *
 * A reader that continues at the end of the known chunks reads on by subject. One that begins far behind it first learns
 * where the chunks are, from a consumer that delivers their headers and not their bytes. Either way the positions are kept
 * for all later readers, so that a range costs about its own bytes.
 * @module
 */

import { ConsumerSession } from "../jetstream/consumer_session.ts";
import { JetStreamError, NoResponders, NotPermitted, Unanswered } from "../jetstream/errors.ts";
import { serverHeader } from "../jetstream/message_headers.ts";
import type { BatchQuery, Delivery, StoredMessage } from "../jetstream/messages.ts";
import {
  ChunksMissing,
  type ChunkStream,
  ignoreReplica,
  type ReaderContext,
  readPieces,
} from "./chunk_reader.ts";
import type { ObjectsContext } from "./context.ts";
import { piecesOf } from "./pieces.ts";
import { type Cursor, WalkedGroup } from "./walked_group.ts";

/** The fields of a context that walking needs. */
export type WalkNeeds = ReaderContext & Pick<ObjectsContext, "groups">;

/** Bytes and messages of one batch. */
const BATCH_BYTES = 2 * 1024 * 1024;
const BATCH_MESSAGES = 16;
/** Bytes and messages of one batch of headers. */
const HEADERS_BYTES = 512 * 1024;
const HEADERS_MESSAGES = 2000;
/** Bytes that cost less to read than a consumer. */
const WORTH_SKIPPING = 1024 * 1024;

/** Returns what is known of a group, which all its readers share. */
export function walkedGroup(
  { groups }: WalkNeeds,
  { stream }: ChunkStream,
  { subject, size, chunks }: Pick<WalkedGroup, "subject" | "size" | "chunks">,
): WalkedGroup {
  const name = cacheKey(stream, subject);
  const known = groups.get(name);
  if (known instanceof WalkedGroup && known.size === size && known.chunks === chunks) return known;
  const group = new WalkedGroup(subject, size, chunks);
  groups.set(name, group, 1);
  return group;
}

function cacheKey(stream: string, subject: string): string {
  return `${stream} ${subject}`;
}

/**
 * Reads bytes `start` to `end` (exclusive) of a group.
 *
 * @throws ChunksMissing if the group is shorter or longer than the object info says
 */
export async function* readWalked(
  needs: WalkNeeds,
  stream: ChunkStream,
  group: WalkedGroup,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (start - group.end.position > WORTH_SKIPPING) await learn(needs, stream, group, start);
  let cursor = group.end;
  for (let at = start; at < end;) {
    if (group.end.position > cursor.position) cursor = group.end;
    const known = Math.min(end, group.end.position);
    if (known > at) {
      yield* readPieces(needs, stream, piecesOf(group, at, known));
      at = known;
      continue;
    }
    const before = cursor;
    const batch = await readBatch(needs, stream, group, cursor, end);
    for (const { sequence, data } of batch) cursor = group.add(cursor, sequence, data.length);
    keep(needs, stream, group);
    let { position } = before;
    for (const { data } of batch) {
      const [from, to] = [Math.max(at - position, 0), Math.min(end - position, data.length)];
      position += data.length;
      if (from >= to) continue;
      at += to - from;
      yield data.subarray(from, to) as Uint8Array<ArrayBuffer>;
    }
  }
}

function keep({ groups }: WalkNeeds, { stream }: ChunkStream, group: WalkedGroup): void {
  groups.set(cacheKey(stream, group.subject), group, group.sequences.length + 1);
}

/**
 * Reads the next chunks with their bytes, at least one.
 *
 * @param end No chunk behind this position is needed.
 */
async function readBatch(
  { requests, budget }: ReaderContext,
  { stream, direct }: ChunkStream,
  group: WalkedGroup,
  cursor: Cursor,
  end: number,
): Promise<readonly StoredMessage[]> {
  group.checkMore(cursor);
  const { subject } = group;
  const batch = Math.min(messagesUntil(group, cursor, end), BATCH_MESSAGES);
  const query = { seq: cursor.sequence + 1, next_by_subj: subject };
  await budget.take(BATCH_BYTES);
  try {
    const limits = { ...query, batch, max_bytes: BATCH_BYTES };
    const found = direct ? await directBatch(requests, stream, limits) : [];
    if (found.length > 0) return found;
    const message = await requests.leaderGet(stream, query, { isBudgeted: true });
    if (message !== undefined) return [message];
  } finally {
    budget.give(BATCH_BYTES);
  }
  throw new ChunksMissing(`"${subject}" ends after ${cursor.position} bytes`);
}

async function directBatch(
  requests: ReaderContext["requests"],
  stream: string,
  query: BatchQuery,
): Promise<readonly StoredMessage[]> {
  try {
    return await requests.directBatch(stream, query);
  } catch (cause) {
    ignoreReplica(cause);
    return [];
  }
}

/** Estimates the number of chunks between a cursor and a position; none of them may be missing in the middle. */
function messagesUntil({ size, chunks }: WalkedGroup, cursor: Cursor, position: number): number {
  const average = Math.max(size / chunks, 1);
  const wanted = Math.ceil((position - cursor.position) / average) + 1;
  return Math.max(1, Math.min(wanted, chunks - cursor.index));
}

/** Learns where chunks are until the one that holds a position is known, or cannot be learnt in this way. */
async function learn(
  needs: WalkNeeds,
  stream: ChunkStream,
  group: WalkedGroup,
  target: number,
): Promise<void> {
  while (group.end.position <= target && !group.isFull) {
    group.search ??= readHeaders(needs, stream, group, target).finally(() => {
      group.search = undefined;
      keep(needs, stream, group);
    });
    try {
      await group.search;
    } catch (cause) {
      // Without a consumer the reader reads the bytes.
      const isRefused = cause instanceof JetStreamError || cause instanceof NotPermitted ||
        cause instanceof NoResponders;
      if (isRefused) return;
      throw cause;
    }
  }
}

/** Reads the headers of the next chunks; the search goes on if all readers leave. */
async function readHeaders(
  { requests, budget }: ReaderContext,
  { stream }: ChunkStream,
  group: WalkedGroup,
  target: number,
): Promise<void> {
  const { subject } = group;
  let cursor = group.end;
  group.checkMore(cursor);
  const batch = Math.min(messagesUntil(group, cursor, target), HEADERS_MESSAGES);
  let failure: unknown;
  const take = ({ sequence, headers }: Delivery): void => {
    try {
      const length = Number(serverHeader(headers(), "Nats-Msg-Size") || NaN);
      if (!Number.isSafeInteger(length)) throw new ChunksMissing(`"${subject}" has no sizes`);
      cursor = group.add(cursor, sequence, length);
    } catch (cause) {
      failure ??= cause;
    }
  };
  const range = { stream, filters: [subject], from: cursor.sequence + 1 };
  await budget.take(HEADERS_BYTES);
  try {
    using session = new ConsumerSession(requests, range, take);
    await session.create({ headers_only: true });
    const ending = await session.pull({ batch, max_bytes: HEADERS_BYTES });
    if (ending === "too-large") await session.pull({ batch: 1 });
    failure ??= session.cause;
    if (ending === "lost") failure ??= new Unanswered(subject, "the consumer fell silent");
  } finally {
    budget.give(HEADERS_BYTES);
  }
  if (failure !== undefined) throw failure;
  if (cursor.sequence < range.from) {
    throw new ChunksMissing(`"${subject}" ends after ${cursor.position} bytes`);
  }
}
