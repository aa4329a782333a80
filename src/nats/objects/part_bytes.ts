/**
 * The bytes of an object in parts: the chunk groups of its parts, one after another, each part verified if it is read
 * whole.
 * @module
 */

import type { BucketStream } from "../buckets/streams.ts";
import type { MappedPart } from "../layout/chunk_map.ts";
import type { Nuid } from "../layout/nuid.ts";
import { partChunkSubject } from "../layout/chunk_subjects.ts";
import { type ChunkMapNeeds, readChunkMap } from "./chunk_maps.ts";
import { ChunksMissing, readPieces } from "./chunk_reader.ts";
import { readWalked, walkedGroup, type WalkNeeds } from "./group_walk.ts";
import { type Piece, piecesOf, uniformOffsets } from "./pieces.ts";
import { verifiedStretches } from "./verify.ts";

/** The bytes of a part that are read, end exclusive. */
type PartRange = { readonly part: MappedPart; readonly from: number; readonly to: number };

/**
 * Reads bytes `start` to `end` (exclusive) of an object in parts.
 *
 * @param range `size` is that of the object.
 * @throws ChunksMissing
 */
export async function readPartBytes(
  needs: WalkNeeds & ChunkMapNeeds,
  stream: BucketStream,
  nuid: Nuid,
  { size, start, end }: { readonly size: number; readonly start: number; readonly end: number },
): Promise<AsyncGenerator<Uint8Array<ArrayBuffer>>> {
  const chunkMap = await readChunkMap(needs, stream, nuid);
  if (chunkMap?.kind !== "parts") throw new ChunksMissing(`There is no layout of "${nuid}"`);
  const ranges: PartRange[] = [];
  let position = 0;
  for (const part of chunkMap.parts) {
    const from = Math.max(start - position, 0);
    const to = Math.min(end - position, part.size);
    if (from < to) ranges.push({ part, from, to });
    position += part.size;
  }
  if (position !== size) {
    throw new ChunksMissing(`The parts of "${nuid}" have ${position} bytes instead of ${size}`);
  }
  const stretches = ranges.map(({ part: { size, digest }, from, to }) => {
    return { size: to - from, digest: from === 0 && to === size ? digest : undefined };
  });
  return verifiedStretches(piecesOfParts(needs, stream, nuid, ranges), stretches);
}

async function* piecesOfParts(
  needs: WalkNeeds,
  stream: BucketStream,
  nuid: Nuid,
  ranges: readonly PartRange[],
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let at = 0;
  /** Yields the pieces of parts up to the first whose chunks are unknown. Their number may be large, so none is kept. */
  function* knownPieces(): Generator<Piece> {
    for (; at < ranges.length; at++) {
      const { part, from, to } = ranges[at] as PartRange;
      const { number, attempt, size, chunkSize, sequences } = part;
      const chunks = Math.ceil(size / chunkSize);
      if (sequences?.length !== chunks) return;
      const subject = partChunkSubject(stream.store, nuid, number, attempt);
      const offsets = uniformOffsets(chunks, chunkSize, size);
      yield* piecesOf({ subject, sequences, offsets }, from, to);
    }
  }
  for (; at < ranges.length; at++) {
    // Neighbouring parts with known chunks are read as one run of pieces, so that their requests overlap.
    yield* readPieces(needs, stream, knownPieces());
    const range = ranges[at];
    if (range === undefined) return;
    const { part: { number, attempt, size, chunkSize }, from, to } = range;
    const subject = partChunkSubject(stream.store, nuid, number, attempt);
    const chunks = Math.ceil(size / chunkSize);
    const group = walkedGroup(needs, stream, { subject, size, chunks });
    yield* readWalked(needs, stream, group, from, to);
  }
}
