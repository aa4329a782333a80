/**
 * Bytes that their reader pulls, without the cost of a ReadableStream. Its queue, its controller and its promises for
 * each piece cost more than the bytes of a small body.
 * @module
 */

/** Bytes that one owner reads to their end or cancels. */
export interface ByteSource {
  /** Returns the next bytes, at least one; undefined at the end. The caller owns them. Only one read may be pending. */
  read(): Promise<Uint8Array | undefined>;
  /** Discards the rest. A pending read ends as at the end. After the end, or an error, it does nothing. */
  cancel(reason?: unknown): Promise<void>;
}

/**
 * Returns a source of a stream's bytes, and locks the stream. A source is returned as it is.
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
 * Runs work that reads a source. It cancels the source when the work fails, and when the signal aborts, even if a read
 * is pending.
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
    signal?.throwIfAborted(); // a cancelled source ends like a complete one
    return result;
  } catch (cause) {
    await source.cancel(cause).catch(() => {});
    throw signal?.aborted ? signal.reason : cause;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

/** Returns a source of one piece, or of none. */
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
 * Reads a source to its end, or cancels it if it is longer than the limit.
 *
 * @param limit Maximum size in bytes.
 * @returns undefined if the source is longer
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
