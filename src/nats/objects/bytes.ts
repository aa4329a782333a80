/**
 * The bytes of an object: where its chunks are, and the stream of what was chosen of them.
 *
 * An object that a gateway put says where each chunk is; a native one is walked through once; a multipart object has a
 * layout record.
 * @module
 */

import type { ByteRange } from "../../s3/range.ts";
import type { InfoOptions, ObjectContent, ObjectInfo } from "../../store/store.ts";
import {
  ChunksMissing,
  type KnownGroup,
  type Piece,
  piecesOf,
  readPiece,
  readPieces,
  streamOfPieces,
  uniformOffsets,
  verified,
  verifiedPiece,
  verifiedStretches,
  walkGroup,
} from "./chunk_reader.ts";
import type { ObjectsContext } from "./context.ts";
import { chunkSubject, partChunkSubject, records } from "../layout/subjects.ts";
import type { Nuid } from "../layout/nuid.ts";
import { type ChunkMap, type MappedPart, parseChunkMap } from "../layout/chunk_map.ts";
import type { ObjectBytes, StoredObject } from "../layout/object_info.ts";
import { release } from "../../streams/release.ts";
import { textOf } from "../jetstream/messages.ts";
import { parseSequences } from "../layout/runs.ts";
import type { BucketStream } from "../buckets/streams.ts";

/**
 * So many chunks are read before the answer begins, without the cost of a stream: their reader has all of them or none,
 * and holds no lease.
 */
export const AT_ONCE = 2;

/** Part sizes that are too many for object info are in the layout record, and so are the checksums of parts. */
export async function withPartSizes(
  context: ObjectsContext,
  stream: BucketStream,
  { info, bytes }: StoredObject,
  options: InfoOptions = {},
): Promise<ObjectInfo> {
  const wantsChecksums = options.partChecksums === true && info.checksum !== undefined;
  if (info.partSizes !== undefined && !wantsChecksums) return info;
  // Of an object in one group the record tells the parts only where it was uploaded in parts: its ETag says so.
  // That of an empty object tells nothing else.
  const isInLayout = bytes.kind === "parts" ||
    ((bytes.seekInLayout || (wantsChecksums && info.size === 0)) && info.etag.includes("-"));
  if (!isInLayout) return info;
  const layout = await readLayout(context, stream, bytes.nuid);
  if (layout === undefined) return info;
  const { partSizes = info.partSizes, partChecksums } = partsOf(layout);
  const areShown = wantsChecksums && partChecksums !== undefined;
  return { ...info, partSizes, ...(areShown && { partChecksums }) };
}

/** What a layout record tells of parts; their checksums where each has one. */
function partsOf(layout: ChunkMap): Partial<Pick<ObjectInfo, "partSizes" | "partChecksums">> {
  if (layout.kind === "seek") return layout;
  const checksums = layout.parts.flatMap(({ checksum }) => checksum ?? []);
  return {
    partSizes: layout.parts.map(({ size }) => size),
    partChecksums: checksums.length === layout.parts.length ? checksums : undefined,
  };
}

/** Begins to read what was chosen of an object. Throws `ChunksMissing` when the first bytes are gone. */
export async function openBytes(
  context: ObjectsContext,
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
    streamOfPieces(context.leases.during(stream, bytes.nuid, source));

  if (bytes.kind === "parts") {
    return await streamOfHeld(await readParts(context, stream, bytes.nuid, start, end));
  }
  const whole = start === 0 && end === size ? bytes.sha256 : undefined;
  const group = await findGroup(context, stream, bytes, size);
  if (group === undefined) {
    const source = readUnknown(context, stream, bytes, size, start, end);
    return await streamOfHeld(whole === undefined ? source : verified(source, whole));
  }
  const pieces = [...piecesOf(group, start, end)];
  if (pieces.length <= AT_ONCE) {
    const data = joined(await Promise.all(pieces.map((piece) => readPiece(context, piece))));
    return whole === undefined ? data : verifiedPiece(data, whole);
  }
  const source = readPieces(context, pieces);
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

/** Where a group's chunks are, if that is known: its seek table, or an earlier walk. */
async function findGroup(
  context: ObjectsContext,
  { stream, store }: BucketStream,
  bytes: ObjectBytes & { readonly kind: "group" },
  size: number,
): Promise<KnownGroup | undefined> {
  const { nuid, chunks, chunkSize, seek, seekInLayout } = bytes;
  const cacheKey = `${stream} ${nuid}`;
  const known = context.groups.get(cacheKey);
  if (known !== undefined) return known.offsets.at(-1) === size ? known : undefined;

  const subject = chunkSubject(store, nuid);
  let sequences = parseSequences(seek);
  if (sequences === undefined && seekInLayout) {
    const layout = await readLayout(context, { stream, store }, nuid);
    if (layout?.kind === "seek") sequences = layout.sequences;
  }
  const fits = sequences?.length === chunks && chunkSize !== undefined &&
    Math.ceil(size / chunkSize) === chunks;
  if (sequences === undefined || !fits) return undefined;
  const group = { stream, subject, sequences, offsets: uniformOffsets(chunks, chunkSize, size) };
  if (chunks > 1) context.groups.set(cacheKey, group, chunks);
  return group;
}

/** A group that no seek table describes: walked through by subject, once. */
async function* readUnknown(
  context: ObjectsContext,
  { stream, store }: BucketStream,
  { nuid, chunks }: { readonly nuid: Nuid; readonly chunks: number },
  size: number,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const walk = walkGroup(context, {
    stream,
    subject: chunkSubject(store, nuid),
    size,
    chunks,
  });
  let position = 0;
  for (let step = await walk.next();; step = await walk.next()) {
    if (step.done === true) {
      context.groups.set(`${stream} ${nuid}`, step.value, chunks);
      return;
    }
    const data = step.value;
    const from = Math.max(start - position, 0);
    const to = Math.min(end - position, data.length);
    if (from < to) yield data.subarray(from, to);
    position += data.length;
  }
}

/** The pieces of a multipart object, part after part; parts that are read whole are verified. */
async function readParts(
  context: ObjectsContext,
  stream: BucketStream,
  nuid: Nuid,
  start: number,
  end: number,
): Promise<AsyncGenerator<Uint8Array<ArrayBuffer>>> {
  const layout = await readLayout(context, stream, nuid);
  if (layout?.kind !== "parts") throw new ChunksMissing(`There is no layout of "${nuid}"`);
  const ranges: PartRange[] = [];
  let position = 0;
  for (const part of layout.parts) {
    const from = Math.max(start - position, 0);
    const to = Math.min(end - position, part.size);
    if (from < to) ranges.push({ part, from, to });
    position += part.size;
  }
  if (position < end) throw new ChunksMissing(`The parts of "${nuid}" end after ${position} bytes`);
  const stretches = ranges.map(({ part: { size, digest }, from, to }) => {
    return { size: to - from, digest: from === 0 && to === size ? digest : undefined };
  });
  return verifiedStretches(piecesOfParts(context, stream, nuid, ranges), stretches);
}

/** What is read of a part, end exclusive. */
type PartRange = { readonly part: MappedPart; readonly from: number; readonly to: number };

async function* piecesOfParts(
  context: ObjectsContext,
  { stream, store }: BucketStream,
  nuid: Nuid,
  ranges: readonly PartRange[],
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  // Neighbours whose tables are known are read as one run of pieces, so that parts overlap on their way.
  let run: Piece[] = [];
  for (const { part: { number, attempt, size, chunkSize, sequences }, from, to } of ranges) {
    const subject = partChunkSubject(store, nuid, number, attempt);
    if (sequences !== undefined && sequences.length === Math.ceil(size / chunkSize)) {
      const offsets = uniformOffsets(sequences.length, chunkSize, size);
      run.push(...piecesOf({ stream, subject, sequences, offsets }, from, to));
      continue;
    }
    yield* readPieces(context, run);
    run = [];
    const group = { stream, subject, size, chunks: Math.ceil(size / chunkSize) };
    let passed = 0;
    for await (const data of walkGroup(context, group)) {
      const [first, last] = [Math.max(from - passed, 0), Math.min(to - passed, data.length)];
      if (first < last) yield data.subarray(first, last);
      passed += data.length;
      if (passed >= to) break;
    }
  }
  yield* readPieces(context, run);
}

/** The layout record of a nuid; it never changes once an object names it. */
export async function readLayout(
  context: ObjectsContext,
  { stream, store }: Pick<BucketStream, "stream" | "store">,
  nuid: Nuid,
): Promise<ChunkMap | undefined> {
  const cacheKey = `${stream} ${nuid}`;
  const known = context.layouts.get(cacheKey);
  if (known !== undefined) return known;
  const record = await context.requests.leaderGet(stream, {
    last_by_subj: records.layout(store, nuid),
  });
  const layout = record && parseChunkMap(textOf(record.data));
  if (layout !== undefined) context.layouts.set(cacheKey, layout, record?.data.length ?? 0);
  return layout;
}
