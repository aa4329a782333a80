/**
 * Chunk messages → bytes: the chunks of a range, several asked for at a time, delivered in order and no faster than
 * their reader takes them.
 *
 * All readers of a connection share one budget of bytes that were asked for and have not arrived: beyond 64 MiB the
 * server takes the connection for a slow consumer and cuts it, for everybody.
 * @module
 */

import { createHash, hash } from "node:crypto";
import type { ByteBudget } from "../../streams/byte_budget.ts";
import { JetStreamError, Unanswered } from "../jetstream/errors.ts";
import type { StoredMessage } from "../jetstream/messages.ts";
import type { Requests } from "../jetstream/requests.ts";

/** Bytes that one reader asks for ahead of what was taken. */
const AHEAD = 2 * 1024 * 1024;
/** Bytes and messages of one batch while chunks are searched by subject. */
const BATCH_BYTES = 2 * 1024 * 1024;
const BATCH = 16;
/** Milliseconds after which the leader is asked too: a replica that hangs is asked on for minutes. */
const PATIENCE = 500;

/** What reading needs. */
export type ReaderContext = {
  readonly requests: Requests;
  /** Bytes asked for that have not arrived. */
  readonly budget: ByteBudget;
  /** Bytes asked for ahead that have not been taken by their reader. */
  readonly ahead: ByteBudget;
};

/** A group whose chunks' sequences are known. */
export type KnownGroup = {
  readonly stream: string;
  readonly subject: string;
  /** Stream sequence of each chunk. */
  readonly sequences: readonly number[];
  /** Where each chunk begins, and at last the group's size, in bytes: one entry more than sequences. */
  readonly offsets: readonly number[];
};

/** A stretch of one chunk. */
export type Piece = {
  readonly group: KnownGroup;
  readonly chunk: number;
  /** Within the chunk, end exclusive. */
  readonly start: number;
  readonly end: number;
};

/** The chunks are not, or no longer, what the object info says. */
export class ChunksMissing extends Error {
  override readonly name = "ChunksMissing";
}

/** Offsets of a group whose chunks have one size but for the last. */
export function uniformOffsets(chunks: number, chunkSize: number, size: number): readonly number[] {
  return Array.from({ length: chunks + 1 }, (_, i) => i === chunks ? size : i * chunkSize);
}

/** The pieces of a group that hold bytes `start` to `end` (exclusive). */
export function* piecesOf(group: KnownGroup, start: number, end: number): Generator<Piece> {
  const { offsets } = group;
  for (let chunk = chunkAt(offsets, start); chunk < offsets.length - 1; chunk++) {
    const [from = 0, to = 0] = [offsets[chunk], offsets[chunk + 1]];
    if (from >= end) return;
    yield { group, chunk, start: Math.max(start - from, 0), end: Math.min(end, to) - from };
  }
}

/** The last chunk that begins at or before a position. */
function chunkAt(offsets: readonly number[], position: number): number {
  let low = 0;
  let high = offsets.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((offsets[middle] ?? 0) <= position) low = middle;
    else high = middle;
  }
  return low;
}

/** A group of which only the subject and what the object info says is known. */
export type UnknownGroup = {
  readonly stream: string;
  readonly subject: string;
  readonly size: number;
  readonly chunks: number;
};

/**
 * Reads a group from its first chunk on, by subject, and returns where its chunks are.
 *
 * @throws ChunksMissing when there is less, or more, than the object info says
 */
export async function* walkGroup(
  { requests, budget }: ReaderContext,
  { stream, subject, size, chunks }: UnknownGroup,
): AsyncGenerator<Uint8Array<ArrayBuffer>, KnownGroup> {
  const sequences: number[] = [];
  const offsets = [0];
  let position = 0;
  for (let from = 1; sequences.length < chunks;) {
    await budget.take(BATCH_BYTES);
    let batch: readonly StoredMessage[];
    try {
      batch = await requests.directBatch(stream, {
        seq: from,
        next_by_subj: subject,
        batch: Math.min(BATCH, chunks - sequences.length),
        max_bytes: BATCH_BYTES,
      }).catch(replicaLacks) ?? [];
      if (batch.length === 0) {
        const message = await requests.leaderGet(stream, { seq: from, next_by_subj: subject });
        if (message !== undefined) batch = [message];
      }
    } finally {
      budget.give(BATCH_BYTES);
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
 * @throws ChunksMissing when it is gone
 */
export async function readPiece(
  { requests, budget }: ReaderContext,
  { group, chunk, start, end }: Piece,
): Promise<Uint8Array<ArrayBuffer>> {
  const { stream, subject, sequences, offsets } = group;
  const [from = 0, to = 0, seq = 0] = [offsets[chunk], offsets[chunk + 1], sequences[chunk]];
  await budget.take(to - from);
  try {
    // A follower may not have it yet; the leader does.
    const message = await directGet(requests, stream, seq) ??
      await requests.leaderGet(stream, { seq });
    if (message?.subject !== subject || message.data.length !== to - from) {
      throw new ChunksMissing(`"${subject}" has no chunk ${chunk} at sequence ${seq}`);
    }
    return message.data.subarray(start, end) as Uint8Array<ArrayBuffer>;
  } finally {
    budget.give(to - from);
  }
}

/** Undefined where the replica that was asked lacks it, or does not answer soon. */
async function directGet(
  requests: Requests,
  stream: string,
  seq: number,
): Promise<StoredMessage | undefined> {
  try {
    return await requests.directGet(stream, { seq }, PATIENCE);
  } catch (cause) {
    return replicaLacks(cause);
  }
}

function replicaLacks(cause: unknown): undefined {
  if (cause instanceof JetStreamError || cause instanceof Unanswered) return undefined;
  throw cause;
}

/**
 * The bytes of pieces in order, several of them on their way at a time. A reader always may ask for the piece that is
 * next; what it asks for ahead all readers share, so that many slow ones cost little and do not hold others up.
 */
export async function* readPieces(
  context: ReaderContext,
  pieces: Iterable<Piece>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const source = pieces[Symbol.iterator]();
  const window: { readonly ahead: number; readonly data: Promise<Uint8Array<ArrayBuffer>> }[] = [];
  let ahead = 0;
  let next = source.next();
  const ask = (): void => {
    while (next.done !== true) {
      const { offsets } = next.value.group;
      const { chunk } = next.value;
      const bytes = (offsets[chunk + 1] ?? 0) - (offsets[chunk] ?? 0);
      const isFirst = window.length === 0;
      if (!isFirst && (ahead + bytes > AHEAD || !context.ahead.takeNow(bytes))) return;
      const data = readPiece(context, next.value);
      data.catch(() => {}); // awaited in its turn, or never after an earlier one has failed
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
      ask();
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
 * Checks bytes that came in one piece.
 *
 * @param sha256 Lower-case hex.
 * @throws ChunksMissing when the digest is another
 */
export function verifiedPiece(
  bytes: Uint8Array<ArrayBuffer>,
  sha256: string,
): Uint8Array<ArrayBuffer> {
  if (hash("sha256", bytes, "hex") === sha256) return bytes;
  throw wrongDigest();
}

/**
 * Passes bytes on and checks them: the last piece is held back until the digest was found right.
 *
 * @param sha256 Lower-case hex.
 * @throws ChunksMissing when the digest is another
 */
export async function* verified(
  source: AsyncIterable<Uint8Array<ArrayBuffer>>,
  sha256: string,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const running = createHash("sha256");
  let held: Uint8Array<ArrayBuffer> | undefined;
  for await (const bytes of source) {
    if (held !== undefined) yield held;
    running.update(bytes);
    held = bytes;
  }
  if (running.digest("hex") !== sha256) throw wrongDigest();
  if (held !== undefined) yield held;
}

/**
 * What is kept of the SHA-256 of a part: half of it, so that 10,000 of them fit into a message.
 *
 * @param sha256 Hex.
 */
export function shortDigest(sha256: string): string {
  return sha256.slice(0, 32);
}

/** A stretch of bytes; with it, where it is known, a digest as {@linkcode shortDigest} makes them. */
export type Stretch = { readonly size: number; readonly digest: string | undefined };

/**
 * Passes bytes on that come in stretches, of which no piece crosses the border, and checks each stretch before its last
 * piece is passed on.
 *
 * @throws ChunksMissing when a digest is another
 */
export async function* verifiedStretches(
  source: AsyncIterable<Uint8Array<ArrayBuffer>>,
  stretches: Iterable<Stretch>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const rest = stretches[Symbol.iterator]();
  let stretch: Stretch | undefined;
  let running = createHash("sha256");
  let left = 0;
  for await (const bytes of source) {
    if (left === 0) {
      stretch = rest.next().value;
      left = stretch?.size ?? 0;
      running = createHash("sha256");
    }
    left -= bytes.length;
    if (stretch?.digest !== undefined) {
      running.update(bytes);
      const isWrong = left === 0 && shortDigest(running.digest("hex")) !== stretch.digest;
      if (isWrong) throw wrongDigest();
    }
    yield bytes;
  }
}

function wrongDigest(): ChunksMissing {
  return new ChunksMissing("The bytes do not have the digest that was stored with them");
}

/**
 * A stream of what a generator yields. The first piece was read when this resolves, so that what is missing from the
 * start is an error and not a broken answer; the rest is read as the stream's reader takes it.
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
