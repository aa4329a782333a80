/**
 * Memory that is freed before the garbage collector would free it.
 *
 * Buffers lie outside the JavaScript heap and rarely trigger the collector. Without this module, memory would grow with
 * the bytes that pass through.
 * @module
 */

/** Bytes. Freeing a smaller buffer is not worthwhile. */
export const WORTH_RELEASING = 32 * 1024;

const sole = new WeakSet<ArrayBufferLike>();

/** Marks a buffer that holds only one message: when a reader releases any part of it, the whole buffer is free. */
export function markSole(buffer: ArrayBufferLike): void {
  sole.add(buffer);
}

/**
 * Frees the buffer of bytes that are no longer needed, if it holds nothing else.
 *
 * @example Usage
 * ```ts
 * import { release } from "./release.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const bytes = new Uint8Array(100_000);
 * release(bytes.subarray(5)); // does nothing: the buffer holds other bytes
 * strictEqual(bytes.length, 100_000);
 * release(bytes);
 * strictEqual(bytes.length, 0);
 * ```
 */
export function release({ buffer, length }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < WORTH_RELEASING) return;
  if (length === buffer.byteLength || sole.has(buffer)) buffer.transfer(0);
}
