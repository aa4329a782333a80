/**
 * Bytes → chunk messages: a body is cut into chunks that are published under one subject, several at a time, and
 * hashed on the way.
 * @module
 */

import { createChecksumHasher } from "../s3/checksum.ts";
import { S3Error } from "../s3/errors.ts";
import type { ContentInput, Received } from "../store/store.ts";
import { release } from "../streams/release.ts";
import type { Context } from "./context.ts";

/** Bytes that may be published and not yet acknowledged, for one body. */
const WINDOW = 2 * 1024 * 1024;
/** Size of a chunk, unless the server takes less. A range reads whole chunks; a large body publishes many. */
const CHUNK_SIZE = 256 * 1024;
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

/**
 * Publishes a body and returns when every chunk is acknowledged. When it throws, some chunks may be stored: who called
 * purges them.
 *
 * @throws S3Error `IncompleteBody` when the body is not as long as it said; what the body's stream threw; what
 * JetStream answered
 */
export async function writeChunks(
  { requests, unacknowledged, digests }: Pick<Context, "requests" | "unacknowledged" | "digests">,
  subject: string,
  content: ContentInput,
  signal: AbortSignal,
): Promise<WrittenChunks> {
  const chunkSize = Math.min(CHUNK_SIZE, requests.maxPayload - OVERHEAD);
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
    for await (const chunk of cut(read(content.stream, signal), chunkSize, content.size)) {
      size += chunk.length;
      if (content.size !== undefined && size > content.size) throw new S3Error("IncompleteBody");
      await unacknowledged.take(chunk.length);
      const acknowledged = requests.publish(subject, chunk)
        .finally(() => unacknowledged.give(chunk.length));
      acknowledged.catch(() => {}); // awaited in its turn, or after an earlier one has failed
      window.push({ chunk, acknowledged });
      inFlight += chunk.length;
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

  const received = { size, ...await digester.digest(), checksum: checksum?.digest() };
  return { received, chunkSize, sequences };
}

/** Reads a stream that is cancelled when the signal aborts, even in the middle of a wait, or when its reader leaves. */
async function* read(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  const cancel = (): void => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", cancel);
  let ended = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
    ended = true;
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener("abort", cancel);
    if (!ended) await reader.cancel(signal.reason).catch(() => {});
  }
}

/** Cuts a body into chunks of one size, the last one shorter. */
async function* cut(
  body: AsyncIterable<Uint8Array>,
  chunkSize: number,
  size: number | undefined,
): AsyncGenerator<Uint8Array> {
  let remaining = size ?? Infinity;
  let chunk: Uint8Array | undefined;
  let filled = 0;
  for await (const bytes of body) {
    let taken = 0;
    let lent = false;
    while (taken < bytes.length) {
      const room = Math.min(chunkSize, Math.max(remaining, 1));
      if (chunk === undefined && bytes.length - taken >= room) {
        // What was received is whole already and nobody else keeps it.
        yield bytes.subarray(taken, taken + room);
        taken += room;
        remaining -= room;
        lent = true;
        continue;
      }
      chunk ??= new Uint8Array(room);
      const part = bytes.subarray(taken, taken + chunk.length - filled);
      chunk.set(part, filled);
      filled += part.length;
      taken += part.length;
      if (filled === chunk.length) {
        yield chunk;
        remaining -= filled;
        chunk = undefined;
        filled = 0;
      }
    }
    if (!lent) release(bytes);
  }
  if (chunk !== undefined) yield chunk.subarray(0, filled);
}
