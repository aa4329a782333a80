/**
 * The bytes of an object in parts: the chunk groups of its parts, one after another, each part verified if it is read
 * whole.
 * @module
 */

import type { BucketStream } from "../buckets/streams.ts";
import type { MappedPart } from "../layout/chunk_map.ts";
import type { Nuid } from "../layout/nuid.ts";
import { partChunkSubject } from "../layout/subjects.ts";
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
 * @throws ChunksMissing
 */
export async function readPartBytes(
  needs: WalkNeeds & ChunkMapNeeds,
  stream: BucketStream,
  nuid: Nuid,
  start: number,
  end: number,
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
  if (position < end) throw new ChunksMissing(`The parts of "${nuid}" end after ${position} bytes`);
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
  // Neighbouring parts with known chunks are read as one run of pieces, so that their requests overlap.
  let run: Piece[] = [];
  for (const { part: { number, attempt, size, chunkSize, sequences }, from, to } of ranges) {
    const subject = partChunkSubject(stream.store, nuid, number, attempt);
    const chunks = Math.ceil(size / chunkSize);
    if (sequences?.length === chunks) {
      const offsets = uniformOffsets(chunks, chunkSize, size);
      run.push(...piecesOf({ subject, sequences, offsets }, from, to));
      continue;
    }
    yield* readPieces(needs, stream, run);
    run = [];
    const group = walkedGroup(needs, stream, { subject, size, chunks });
    yield* readWalked(needs, stream, group, from, to);
  }
  yield* readPieces(needs, stream, run);
}
