/**
 * Cuts a stream into pieces, so that a reader that takes little has little in memory.
 * @module
 */

/** Bytes of the largest response body that is handed over at once, instead of as a stream. */
export const MAX_FIXED: number = 16 * 1024;
/** Bytes of a piece. */
const PIECE = 64 * 1024;

/** Returns a stream of the same bytes in pieces of at most 64 KiB. */
export function inPieces(source: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let rest: Uint8Array = new Uint8Array();
  return new ReadableStream({
    async pull(controller) {
      while (rest.length === 0) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        rest = value;
      }
      controller.enqueue(rest.subarray(0, PIECE));
      rest = rest.subarray(PIECE);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
