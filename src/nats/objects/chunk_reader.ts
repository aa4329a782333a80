/**
 * Chunk messages → bytes. A reader requests several chunks of a range at a time and delivers them in order, no faster
 * than its client accepts them.
 *
 * All readers of a connection share one budget of bytes that are requested and have not arrived. Beyond 64 MiB the server
 * considers the connection a slow consumer and cuts it, for everybody.
 * @module
 */

import type { ByteBudget } from "../../streams/byte_budget.ts";
import { currentClient, workFor } from "../../streams/clients_work.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { JetStreamError, NoResponders, Unanswered } from "../jetstream/errors.ts";
import type { GetOptions, MessageQuery, StoredMessage } from "../jetstream/messages.ts";
import type { Requests } from "../jetstream/requests.ts";
import type { Piece } from "./pieces.ts";

/** Bytes that one reader requests beyond the chunk that its client waits for. */
const MAX_READ_AHEAD = 2 * 1024 * 1024;
/** Milliseconds until the leader is asked instead: the server routes requests to a hung replica for minutes. */
export const REPLICA_TIMEOUT = 500;
/** A chunk's size is known, and it is taken from the budget of bytes. */
const CHUNK_GET: GetOptions = { timeout: REPLICA_TIMEOUT, isBudgeted: true };

/** The fields of a context that reading needs. */
export type ReaderContext = {
  readonly requests: Requests;
  /** Bytes that may be requested and not yet have arrived. */
  readonly budget: ByteBudget;
  /** Bytes that readers may request beyond the chunks that their clients wait for. */
  readonly ahead: ByteBudget;
};

/** The chunks do not match the object info, or no longer do. */
export class ChunksMissing extends Error {
  override readonly name = "ChunksMissing";
}

/** Facts about a stream that reading chunks needs. */
export type ChunkStream = Pick<BucketStream, "stream" | "direct">;

/**
 * Gets a message that never changes, from any replica or mirror. The leader returns it if the first one lacks it, holds
 * another one, or does not respond soon, and if nobody responds to direct gets. Only the leader knows that it is gone.
 *
 * @param subject Subject of the message.
 * @param length Bytes of its data.
 */
export async function getUnchanging(
  requests: Requests,
  { stream, direct }: ChunkStream,
  query: MessageQuery,
  subject: string,
  length: number | "any",
  options: GetOptions,
): Promise<StoredMessage | undefined> {
  if (direct) {
    try {
      const found = await requests.directGet(stream, query, options);
      if (isWanted(found, subject, length)) return found;
    } catch (cause) {
      ignoreReplica(cause);
    }
  }
  const found = await requests.leaderGet(stream, query, options);
  return isWanted(found, subject, length) ? found : undefined;
}

/** Tells whether a message is the wanted one. A mirror may hold another bucket's message at the same sequence. */
function isWanted(
  found: StoredMessage | undefined,
  subject: string,
  length: number | "any",
): boolean {
  return found?.subject === subject && (length === "any" || found.data.length === length);
}

/** Rethrows what a direct get threw, unless the leader may still have the message. */
export function ignoreReplica(cause: unknown): void {
  const mayExist = cause instanceof JetStreamError || cause instanceof Unanswered ||
    cause instanceof NoResponders;
  if (!mayExist) throw cause;
}

/**
 * Reads one piece.
 *
 * @throws ChunksMissing if its chunk is gone
 */
export async function readPiece(
  { requests, budget }: ReaderContext,
  stream: ChunkStream,
  { group, chunk, start, end }: Piece,
): Promise<Uint8Array<ArrayBuffer>> {
  const { subject, sequences, offsets } = group;
  const [from = 0, to = 0, seq = 0] = [offsets[chunk], offsets[chunk + 1], sequences[chunk]];
  await budget.take(to - from);
  try {
    const length = to - from;
    const message = await getUnchanging(requests, stream, { seq }, subject, length, CHUNK_GET);
    if (message === undefined) {
      throw new ChunksMissing(`"${subject}" has no chunk ${chunk} at sequence ${seq}`);
    }
    return message.data.subarray(start, end) as Uint8Array<ArrayBuffer>;
  } finally {
    budget.give(to - from);
  }
}

/**
 * Reads pieces in order, several at a time. A reader may always request the next piece. What it requests beyond that
 * counts against a budget that all readers share, so that many slow readers cost little and do not hold others up.
 */
export async function* readPieces(
  context: ReaderContext,
  stream: ChunkStream,
  pieces: Iterable<Piece>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const source = pieces[Symbol.iterator]();
  const window: { readonly ahead: number; readonly data: Promise<Uint8Array<ArrayBuffer>> }[] = [];
  let ahead = 0;
  let next = source.next();
  const request = (): void => {
    while (next.done !== true) {
      const { offsets } = next.value.group;
      const { chunk } = next.value;
      const bytes = (offsets[chunk + 1] ?? 0) - (offsets[chunk] ?? 0);
      const isFirst = window.length === 0;
      if (!isFirst && (ahead + bytes > MAX_READ_AHEAD || !context.ahead.takeNow(bytes))) return;
      const data = readPiece(context, stream, next.value);
      data.catch(() => {}); // it is awaited in its turn, or never if an earlier one fails
      window.push({ ahead: isFirst ? 0 : bytes, data });
      ahead += isFirst ? 0 : bytes;
      next = source.next();
    }
  };
  const giveBack = (bytes: number): void => {
    if (bytes > 0) context.ahead.give(bytes);
    ahead -= bytes;
  };
  try {
    for (;;) {
      request();
      const first = window.shift();
      if (first === undefined) return;
      try {
        yield await first.data;
      } finally {
        giveBack(first.ahead);
      }
    }
  } finally {
    for (const left of window) giveBack(left.ahead);
  }
}

/**
 * Returns a stream of the pieces that a generator yields. It has read the first piece when it resolves, so that a missing
 * start is an error and not a broken response. It reads the rest on demand, for the same client.
 */
export async function streamOfPieces(
  source: AsyncGenerator<Uint8Array<ArrayBuffer>, unknown>,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const client = currentClient();
  const readNext = (): ReturnType<typeof source.next> => source.next();
  let next: IteratorResult<Uint8Array<ArrayBuffer>, unknown> | undefined = await source.next();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = next ?? await workFor(client, readNext);
      next = undefined;
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await source.return(undefined);
    },
  }, { highWaterMark: 0 });
}
