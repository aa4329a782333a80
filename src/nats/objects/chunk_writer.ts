/**
 * Bytes → chunk messages: a body is cut into chunks that are published under one subject, several at a time, and
 * hashed on the way.
 * @module
 */

import { createChecksumHasher } from "../../s3/checksum.ts";
import { S3Error } from "../../s3/errors.ts";
import type { ContentInput, Received } from "../../store/store.ts";
import { type ByteSource, sourceOf, whileReading } from "../../streams/byte_source.ts";
import { release } from "../../streams/release.ts";
import { digestsOf } from "../../crypto/digests.ts";
import type { ObjectsContext } from "./context.ts";

/** Bytes that may be published and not yet acknowledged, for one body. */
export const WINDOW = 2 * 1024 * 1024;
/** Size of a chunk, unless the server takes less. A range reads whole chunks; a large body publishes many. */
const CHUNK_SIZE = 128 * 1024;
/** What the server adds to a message that is read: subject and headers. */
const OVERHEAD = 16 * 1024;

/** A chunk group that JetStream has acknowledged. */
export type WrittenChunks = {
  readonly received: Received;
  /** Bytes of every chunk but the last. */
  readonly chunkSize: number;
  /** Stream sequence of each chunk, ascending. */
  readonly sequences: readonly number[];
};

/** What writing needs. */
type WriterContext = Pick<ObjectsContext, "requests" | "unacknowledged" | "digests">;

/**
 * Publishes a body and returns when every chunk is acknowledged. When it throws, some chunks may be stored: who called
 * purges them.
 *
 * @param signal Ends it, and cancels the body.
 * @throws S3Error `IncompleteBody` when the body is not as long as it said; what reading the body threw; what
 * JetStream answered
 */
export async function writeChunks(
  context: WriterContext,
  subject: string,
  content: ContentInput,
  signal: AbortSignal | undefined,
): Promise<WrittenChunks> {
  const chunkSize = Math.min(CHUNK_SIZE, context.requests.maxPayload - OVERHEAD);
  const source = sourceOf(content.stream);
  return await whileReading(source, signal, async () => {
    const cutter = new Cutter(source, chunkSize, content.size);
    const isSmall = content.size !== undefined && content.size > 0 && content.size <= chunkSize;
    const write = isSmall ? writeOne : writeMany;
    return { ...await write(context, subject, cutter, content), chunkSize };
  });
}

type Written = Omit<WrittenChunks, "chunkSize">;

/** A body that makes one chunk. */
async function writeOne(
  { requests, unacknowledged }: WriterContext,
  subject: string,
  cutter: Cutter,
  { size = 0, algorithm }: ContentInput,
): Promise<Written> {
  const chunk = await cutter.next();
  if (chunk?.length !== size) throw new S3Error("IncompleteBody");
  await unacknowledged.take(size);
  const publishing = requests.publish(subject, chunk);
  publishing.catch(() => {}); // awaited in the end, whatever happens before
  try {
    const digests = digestsOf(chunk);
    const checksum = algorithm && await createChecksumHasher(algorithm);
    checksum?.update(chunk);
    // What ends the framing, if the body has one, is checked here.
    if (await cutter.next() !== undefined) throw new S3Error("IncompleteBody");
    const received = { size, ...digests, checksum: checksum?.digest() };
    return { received, sequences: [await publishing] };
  } catch (cause) {
    await publishing.catch(() => {}); // it must have landed before the caller purges it
    throw cause;
  } finally {
    unacknowledged.give(size);
    release(chunk);
  }
}

/** A body that makes several chunks, or none, or of which nobody knows how long it is. */
async function writeMany(
  { requests, unacknowledged, digests }: WriterContext,
  subject: string,
  cutter: Cutter,
  content: ContentInput,
): Promise<Written> {
  const checksum = content.algorithm && await createChecksumHasher(content.algorithm);
  const digester = digests.create(content.size);
  const sequences: number[] = [];
  const window: { readonly chunk: Uint8Array; readonly acknowledged: Promise<number> }[] = [];
  let inFlight = 0;
  let size = 0;

  const oldest = async (): Promise<void> => {
    const first = window.shift();
    if (first === undefined) return;
    sequences.push(await first.acknowledged);
    inFlight -= first.chunk.length;
    release(first.chunk);
  };

  try {
    for (let chunk = await cutter.next(); chunk !== undefined; chunk = await cutter.next()) {
      const { length } = chunk;
      size += length;
      if (content.size !== undefined && size > content.size) throw new S3Error("IncompleteBody");
      await unacknowledged.take(length);
      const acknowledged = requests.publish(subject, chunk)
        .finally(() => unacknowledged.give(length));
      acknowledged.catch(() => {}); // awaited in its turn, or after an earlier one has failed
      window.push({ chunk, acknowledged });
      inFlight += length;
      checksum?.update(chunk);
      await digester.update(chunk);
      while (inFlight > WINDOW) await oldest();
    }
    if (content.size !== undefined && size < content.size) throw new S3Error("IncompleteBody");
    while (window.length > 0) await oldest();
  } catch (cause) {
    digester.drop();
    // Chunks that are still on their way must have landed before the caller purges them.
    await Promise.allSettled(window.map(({ acknowledged }) => acknowledged));
    throw cause;
  }
  return {
    received: { size, ...await digester.digest(), checksum: checksum?.digest() },
    sequences,
  };
}

/** Cuts a body into chunks of one size, the last one shorter. */
class Cutter {
  readonly #source: ByteSource;
  readonly #chunkSize: number;
  /** Bytes that are to come; Infinity where nobody knows. */
  #remaining: number;
  /** What was received last, from `#at` on not cut yet. */
  #piece: Uint8Array = EMPTY;
  #at = 0;
  /** A chunk lies in the piece's own memory. */
  #lent = false;

  constructor(source: ByteSource, chunkSize: number, size: number | undefined) {
    this.#source = source;
    this.#chunkSize = chunkSize;
    this.#remaining = size ?? Infinity;
  }

  /** The next chunk, which nobody else keeps; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    const room = Math.min(this.#chunkSize, Math.max(this.#remaining, 1));
    let chunk: Uint8Array | undefined;
    let filled = 0;
    for (;;) {
      const left = this.#piece.length - this.#at;
      if (left === 0) {
        if (!this.#lent) release(this.#piece);
        const piece = await this.#source.read();
        this.#piece = piece ?? EMPTY;
        this.#at = 0;
        this.#lent = false;
        if (piece === undefined) return chunk && this.#cut(chunk.subarray(0, filled));
        continue;
      }
      const from = this.#at;
      this.#at += Math.min(left, room - filled);
      const part = this.#piece.subarray(from, this.#at);
      if (part.length === room) {
        this.#lent = true;
        return this.#cut(part);
      }
      chunk ??= new Uint8Array(room);
      chunk.set(part, filled);
      filled += part.length;
      if (filled === room) return this.#cut(chunk);
    }
  }

  #cut(chunk: Uint8Array): Uint8Array {
    this.#remaining -= chunk.length;
    return chunk;
  }
}

const EMPTY = new Uint8Array();
