/**
 * Checks the bytes that are read against the digests that were stored with them. Bytes with a wrong digest break the read;
 * it never ends cleanly.
 * @module
 */

import { createHash, hash } from "node:crypto";
import { ChunksMissing } from "./chunk_reader.ts";

/**
 * Checks bytes that came in one piece.
 *
 * @param sha256 Lower-case hex.
 * @throws ChunksMissing if the digest is different
 */
export function verifiedPiece(
  bytes: Uint8Array<ArrayBuffer>,
  sha256: string,
): Uint8Array<ArrayBuffer> {
  if (hash("sha256", bytes, "hex") === sha256) return bytes;
  throw wrongDigest();
}

/**
 * Passes bytes on and checks them. It holds the last piece back until it has checked the digest.
 *
 * @param sha256 Lower-case hex.
 * @throws ChunksMissing if the digest is different
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
 * Returns the half of a part's SHA-256 that is stored, so that 10,000 of them fit into a message.
 *
 * @param sha256 Hex.
 */
export function shortDigest(sha256: string): string {
  return sha256.slice(0, 32);
}

/** A stretch of bytes and its digest, as {@linkcode shortDigest} makes it; undefined if the digest is unknown. */
export type Stretch = { readonly size: number; readonly digest: string | undefined };

/**
 * Passes on bytes that come in stretches and checks each stretch before it passes on its last piece. No piece crosses the
 * border of a stretch.
 *
 * @throws ChunksMissing if a digest is different
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
