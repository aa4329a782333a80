/**
 * Chunk messages → bytes. A reader requests several chunks of a range at a time and delivers them in order, no faster
 * than its client accepts them.
 *
 * All readers of a connection share one budget of bytes that are requested and have not arrived. Beyond 64 MiB the server
 * considers the connection a slow consumer and cuts it, for everybody.
 * @module
 */

import type { ByteBudget } from "../../streams/byte_budget.ts";
import { JetStreamError, Unanswered } from "../jetstream/errors.ts";
import type { StoredMessage } from "../jetstream/messages.ts";
import type { Requests } from "../jetstream/requests.ts";
import type { KnownGroup, Piece } from "./pieces.ts";

/** Bytes that one reader requests beyond the chunk that its client waits for. */
const MAX_READ_AHEAD = 2 * 1024 * 1024;
/** Bytes and messages of one batch while a group is walked by subject. */
const WALK_BATCH_BYTES = 2 * 1024 * 1024;
const WALK_BATCH_MESSAGES = 16;
/** Milliseconds until the leader is asked instead: the server routes requests to a hung replica for minutes. */
const REPLICA_TIMEOUT = 500;

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

/** A group of which only the subject, and the size and count in the object info, are known. */
export type UnknownGroup = {
  readonly stream: string;
  readonly subject: string;
  readonly size: number;
  readonly chunks: number;
};

/**
 * Reads a group by subject from its first chunk on, and returns the positions of its chunks.
 *
 * @throws ChunksMissing if the group is shorter or longer than the object info says
 */
export async function* walkGroup(
  { requests, budget }: ReaderContext,
  { stream, subject, size, chunks }: UnknownGroup,
): AsyncGenerator<Uint8Array<ArrayBuffer>, KnownGroup> {
  const sequences: number[] = [];
  const offsets = [0];
  let position = 0;
  for (let from = 1; sequences.length < chunks;) {
    await budget.take(WALK_BATCH_BYTES);
    let batch: readonly StoredMessage[];
    try {
      batch = await requests.directBatch(stream, {
        seq: from,
        next_by_subj: subject,
        batch: Math.min(WALK_BATCH_MESSAGES, chunks - sequences.length),
        max_bytes: WALK_BATCH_BYTES,
      }).catch(replicaLacks) ?? [];
      if (batch.length === 0) {
        const message = await requests.leaderGet(stream, { seq: from, next_by_subj: subject });
        if (message !== undefined) batch = [message];
      }
    } finally {
      budget.give(WALK_BATCH_BYTES);
    }
    for (const { sequence, data } of batch) {
      sequences.push(sequence);
      position += data.length;
      offsets.push(position);
      from = sequence + 1;
      if (position > size) throw new ChunksMissing(`"${subject}" has more than ${size} bytes`);
      yield data as Uint8Array<ArrayBuffer>;
    }
    if (batch.length === 0) throw new ChunksMissing(`"${subject}" ends after ${position} bytes`);
  }
  if (position < size) throw new ChunksMissing(`"${subject}" has ${position} of ${size} bytes`);
  return { stream, subject, sequences, offsets };
}

/**
 * Reads one piece.
 *
 * @throws ChunksMissing if its chunk is gone
 */
export async function readPiece(
  { requests, budget }: ReaderContext,
  { group, chunk, start, end }: Piece,
): Promise<Uint8Array<ArrayBuffer>> {
  const { stream, subject, sequences, offsets } = group;
  const [from = 0, to = 0, seq = 0] = [offsets[chunk], offsets[chunk + 1], sequences[chunk]];
  await budget.take(to - from);
  try {
    // A follower may not have the chunk yet, a mirror may never have it. Only the leader knows that it is gone.
    const message = chunkIn(await directGet(requests, stream, seq), subject, to - from) ??
      chunkIn(await requests.leaderGet(stream, { seq }), subject, to - from);
    if (message === undefined) {
      throw new ChunksMissing(`"${subject}" has no chunk ${chunk} at sequence ${seq}`);
    }
    return message.data.subarray(start, end) as Uint8Array<ArrayBuffer>;
  } finally {
    budget.give(to - from);
  }
}

/** Returns a message if it is the chunk that was asked for. A mirror may hold another bucket's message of that sequence. */
function chunkIn(
  message: StoredMessage | undefined,
  subject: string,
  length: number,
): StoredMessage | undefined {
  return message?.subject === subject && message.data.length === length ? message : undefined;
}

/** Asks any replica for a message; returns undefined if that replica lacks it or does not respond soon. */
async function directGet(
  requests: Requests,
  stream: string,
  seq: number,
): Promise<StoredMessage | undefined> {
  try {
    return await requests.directGet(stream, { seq }, REPLICA_TIMEOUT);
  } catch (cause) {
    return replicaLacks(cause);
  }
}

function replicaLacks(cause: unknown): undefined {
  if (cause instanceof JetStreamError || cause instanceof Unanswered) return undefined;
  throw cause;
}

/**
 * Reads pieces in order, several at a time. A reader may always request the next piece. What it requests beyond that
 * counts against a budget that all readers share, so that many slow readers cost little and do not hold others up.
 */
export async function* readPieces(
  context: ReaderContext,
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
      const data = readPiece(context, next.value);
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
 * start is an error and not a broken response. It reads the rest on demand.
 */
export async function streamOfPieces(
  source: AsyncGenerator<Uint8Array<ArrayBuffer>, unknown>,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  let next: IteratorResult<Uint8Array<ArrayBuffer>, unknown> | undefined = await source.next();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = next ?? await source.next();
      next = undefined;
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await source.return(undefined);
    },
  }, { highWaterMark: 0 });
}
