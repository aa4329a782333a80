/**
 * Opens the bytes of an object: finds its chunks and returns the requested ones, at once or as a stream.
 *
 * An object that a gateway put records the position of each chunk. The chunks of a native one are found once. The chunk
 * map of a multipart object lists its parts.
 * @module
 */

import type { ByteRange } from "../../s3/range.ts";
import type { ObjectContent } from "../../store/objects.ts";
import { release } from "../../streams/release.ts";
import type { BucketStream } from "../buckets/streams.ts";
import type { ObjectBytes, StoredObject } from "../layout/object_info.ts";
import { parseSequences } from "../layout/runs.ts";
import { chunkSubject } from "../layout/chunk_subjects.ts";
import { type ChunkMapNeeds, readChunkMap } from "./chunk_maps.ts";
import { readPiece, readPieces, streamOfPieces } from "./chunk_reader.ts";
import type { ObjectsContext } from "./context.ts";
import { readWalked, walkedGroup, type WalkNeeds } from "./group_walk.ts";
import { readPartBytes } from "./part_bytes.ts";
import { type KnownGroup, piecesOf, uniformOffsets } from "./pieces.ts";
import { verified, verifiedPiece } from "./verify.ts";
import { WalkedGroup } from "./walked_group.ts";

/** The fields of a context that reading bytes needs. */
export type BytesNeeds = WalkNeeds & ChunkMapNeeds & Pick<ObjectsContext, "leases">;

/**
 * Number of chunks that are read before the response begins, without the cost of a stream. The reader has all of them or
 * none, so it holds no lease.
 */
export const MAX_CHUNKS_AT_ONCE = 2;

/**
 * Begins to read a range of an object.
 *
 * @throws ChunksMissing if the first bytes are gone
 */
export async function openBytes(
  needs: BytesNeeds,
  stream: BucketStream,
  { info: { size }, bytes }: StoredObject,
  range: ByteRange | "all" | "nothing",
): Promise<ObjectContent["body"]> {
  if (range === "nothing" || size === 0) return null;
  const start = range === "all" ? 0 : range.start;
  const end = range === "all" ? size : range.end + 1;

  const streamOfHeld = (
    source: AsyncGenerator<Uint8Array<ArrayBuffer>, unknown>,
  ): ReturnType<typeof streamOfPieces> =>
    streamOfPieces(needs.leases.during(stream, bytes.nuid, source));

  if (bytes.kind === "parts") {
    return await streamOfHeld(await readPartBytes(needs, stream, bytes.nuid, { size, start, end }));
  }
  const whole = start === 0 && end === size ? bytes.sha256 : undefined;
  const table = await findTable(needs, stream, bytes, size);
  const group = table ?? walkedGroup(needs, stream, {
    subject: chunkSubject(stream.store, bytes.nuid),
    size,
    chunks: bytes.chunks,
  });
  if (group instanceof WalkedGroup && group.end.position < end) {
    const source = readWalked(needs, stream, group, start, end);
    return await streamOfHeld(whole === undefined ? source : verified(source, whole));
  }
  const pieces = [...piecesOf(group, start, end)];
  if (pieces.length <= MAX_CHUNKS_AT_ONCE) {
    const data = joined(await Promise.all(pieces.map((piece) => readPiece(needs, stream, piece))));
    return whole === undefined ? data : verifiedPiece(data, whole);
  }
  const source = readPieces(needs, stream, pieces);
  return await streamOfHeld(whole === undefined ? source : verified(source, whole));
}

function joined(pieces: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
    release(piece);
  }
  return all;
}

/** Returns the positions of a group's chunks if a seek table tells them. */
async function findTable(
  needs: ChunkMapNeeds & Pick<ObjectsContext, "groups">,
  bucketStream: BucketStream,
  bytes: ObjectBytes & { readonly kind: "group" },
  size: number,
): Promise<KnownGroup | undefined> {
  const { nuid, chunks, chunkSize, seek, seekInLayout } = bytes;
  const cacheKey = `${bucketStream.stream} ${nuid}`;
  const known = needs.groups.get(cacheKey);
  if (known !== undefined) return known.offsets.at(-1) === size ? known : undefined;

  let sequences = parseSequences(seek, chunks);
  if (sequences === undefined && seekInLayout) {
    const chunkMap = await readChunkMap(needs, bucketStream, nuid);
    if (chunkMap?.kind === "seek") sequences = chunkMap.sequences;
  }
  const fits = sequences?.length === chunks && chunkSize !== undefined &&
    Math.ceil(size / chunkSize) === chunks;
  if (sequences === undefined || !fits) return undefined;
  const subject = chunkSubject(bucketStream.store, nuid);
  const group = { subject, sequences, offsets: uniformOffsets(chunks, chunkSize, size) };
  if (chunks > 1) needs.groups.set(cacheKey, group, chunks);
  return group;
}
