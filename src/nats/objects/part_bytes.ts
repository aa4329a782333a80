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
import { ChunksMissing, type ReaderContext, readPieces, walkGroup } from "./chunk_reader.ts";
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
  needs: ReaderContext & ChunkMapNeeds,
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
  needs: ReaderContext,
  { stream, store }: BucketStream,
  nuid: Nuid,
  ranges: readonly PartRange[],
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  // Neighbouring parts with known chunks are read as one run of pieces, so that their requests overlap.
  let run: Piece[] = [];
  for (const { part: { number, attempt, size, chunkSize, sequences }, from, to } of ranges) {
    const subject = partChunkSubject(store, nuid, number, attempt);
    if (sequences !== undefined && sequences.length === Math.ceil(size / chunkSize)) {
      const offsets = uniformOffsets(sequences.length, chunkSize, size);
      run.push(...piecesOf({ stream, subject, sequences, offsets }, from, to));
      continue;
    }
    yield* readPieces(needs, run);
    run = [];
    const group = { stream, subject, size, chunks: Math.ceil(size / chunkSize) };
    let passed = 0;
    for await (const data of walkGroup(needs, group)) {
      const [first, last] = [Math.max(from - passed, 0), Math.min(to - passed, data.length)];
      if (first < last) yield data.subarray(first, last);
      passed += data.length;
      if (passed >= to) break;
    }
  }
  yield* readPieces(needs, run);
}
