/**
 * Sizes of chunks.
 * @module
 */

/** Most bytes of a message: nats-server allows no larger `max_payload`. */
const MAX_CHUNK_SIZE = 64 * 1024 * 1024;

/** Returns whether a value can be the size of a chunk in bytes. */
export function isChunkSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 &&
    value <= MAX_CHUNK_SIZE;
}
