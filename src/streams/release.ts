/**
 * Memory given back before the garbage collector would.
 *
 * Buffers lie outside the JavaScript heap and hardly move the collector: without this, memory grows by what passes
 * through.
 * @module
 */

/** Smaller buffers are not worth it, in bytes. */
export const WORTH_RELEASING = 32 * 1024;

const sole = new WeakSet<ArrayBufferLike>();

/** Says that a buffer is there for one message alone: whoever has done with a part of it has done with all. */
export function markSole(buffer: ArrayBufferLike): void {
  sole.add(buffer);
}

/**
 * Frees the buffer of bytes that nobody needs any more, if nothing else lies in it.
 *
 * @example Usage
 * ```ts
 * import { release } from "./release.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const bytes = new Uint8Array(100_000);
 * release(bytes.subarray(5)); // the buffer holds more than these
 * strictEqual(bytes.length, 100_000);
 * release(bytes);
 * strictEqual(bytes.length, 0);
 * ```
 */
export function release({ buffer, length }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < WORTH_RELEASING) return;
  if (length === buffer.byteLength || sole.has(buffer)) buffer.transfer(0);
}
