/**
 * Bytes that are pulled, without what a ReadableStream costs: a queue, a controller and several promises a piece, which
 * is more than the bytes of a small body.
 * @module
 */

/** Bytes that one owner reads to their end, or gives up. */
export interface ByteSource {
  /** The next bytes, at least one, which are the caller's to keep; undefined at the end. One read at a time. */
  read(): Promise<Uint8Array | undefined>;
  /** Gives the rest up; a read under way ends as at the end. Does nothing once the end, or an error, was read. */
  cancel(reason?: unknown): Promise<void>;
}

/**
 * A stream's bytes as a source. The stream is locked from then on.
 *
 * @example Usage
 * ```ts
 * import { sourceOf } from "./byte_source.ts";
 * import { deepStrictEqual, strictEqual } from "node:assert/strict";
 *
 * const source = sourceOf(ReadableStream.from([new Uint8Array([1])]));
 * deepStrictEqual(await source.read(), new Uint8Array([1]));
 * strictEqual(await source.read(), undefined);
 * ```
 */
export function sourceOf(bytes: ReadableStream<Uint8Array> | ByteSource): ByteSource {
  if (!(bytes instanceof ReadableStream)) return bytes;
  const reader = bytes.getReader();
  return {
    async read() {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        if (value.length > 0) return value;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/**
 * Runs work that reads a source, which is cancelled when the work fails and, even in the middle of a read, when the
 * signal aborts.
 */
export async function whileReading<T>(
  source: ByteSource,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const cancel = (): void => void source.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener("abort", cancel);
  try {
    signal?.throwIfAborted();
    const result = await work();
    signal?.throwIfAborted(); // a source that is cancelled ends as if there were no more
    return result;
  } catch (cause) {
    await source.cancel(cause).catch(() => {});
    throw signal?.aborted ? signal.reason : cause;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

/** A source of one piece, or of none. */
export function sourceOfPiece(piece: Uint8Array | null): ByteSource {
  let left = piece === null || piece.length === 0 ? undefined : piece;
  return {
    read() {
      const next = left;
      left = undefined;
      return Promise.resolve(next);
    },
    cancel() {
      left = undefined;
      return Promise.resolve();
    },
  };
}

/**
 * Reads a source to its end. Beyond the limit it is cancelled.
 *
 * @param limit Most bytes.
 * @returns undefined when there are more
 */
export async function readWhole(
  source: ByteSource,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (let piece = await source.read(); piece !== undefined; piece = await source.read()) {
    size += piece.length;
    if (size > limit) {
      await source.cancel();
      return undefined;
    }
    pieces.push(piece);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
