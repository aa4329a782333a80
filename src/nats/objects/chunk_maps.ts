/**
 * Reads chunk maps: where the bytes of an object are, and the facts about its parts, if object info cannot hold them.
 * @module
 */

import type { InfoOptions, ObjectInfo } from "../../store/objects.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { textOf } from "../jetstream/messages.ts";
import { type ChunkMap, parseChunkMap } from "../layout/chunk_map.ts";
import type { Nuid } from "../layout/nuid.ts";
import type { StoredObject } from "../layout/object_info.ts";
import { records } from "../layout/subjects.ts";
import { type ChunkStream, getUnchanging, REPLICA_TIMEOUT } from "./chunk_reader.ts";
import type { ObjectsContext } from "./context.ts";

/** The fields of a context that reading chunk maps needs. */
export type ChunkMapNeeds = Pick<ObjectsContext, "requests" | "chunkMaps" | "chunkMapReads">;

/** Facts about a stream that reading chunk maps needs. */
type MapStream = ChunkStream & Pick<BucketStream, "store">;

/** Reads the chunk map of a nuid. It never changes once an object names it. Callers share a read that is under way. */
export async function readChunkMap(
  needs: ChunkMapNeeds,
  stream: MapStream,
  nuid: Nuid,
): Promise<ChunkMap | undefined> {
  const name = `${stream.stream} ${nuid}`;
  return needs.chunkMaps.get(name) ??
    await needs.chunkMapReads.run(name, () => fetchChunkMap(needs, stream, nuid, name));
}

async function fetchChunkMap(
  { requests, chunkMaps }: ChunkMapNeeds,
  stream: MapStream,
  nuid: Nuid,
  name: string,
): Promise<ChunkMap | undefined> {
  const subject = records.layout(stream.store, nuid);
  const query = { last_by_subj: subject };
  const options = { timeout: REPLICA_TIMEOUT };
  const record = await getUnchanging(requests, stream, query, subject, "any", options);
  const chunkMap = record && parseChunkMap(textOf(record.data));
  if (chunkMap !== undefined) chunkMaps.set(name, chunkMap, record?.data.length ?? 0);
  return chunkMap;
}

/**
 * Returns an object's info, completed from its chunk map. Only the chunk map holds a long list of part sizes and the
 * checksums of parts.
 */
export async function withPartSizes(
  needs: ChunkMapNeeds,
  stream: MapStream,
  { info, bytes }: StoredObject,
  options: InfoOptions = {},
): Promise<ObjectInfo> {
  const wantsChecksums = options.partChecksums === true && info.checksum !== undefined;
  if (info.partSizes !== undefined && !wantsChecksums) return info;
  // The chunk map of an object in one group lists parts only if the object was uploaded in parts, as its ETag tells.
  // The chunk map of an empty object tells nothing else.
  const isInChunkMap = bytes.kind === "parts" ||
    ((bytes.seekInLayout || (wantsChecksums && info.size === 0)) && info.etag.includes("-"));
  if (!isInChunkMap) return info;
  const chunkMap = await readChunkMap(needs, stream, bytes.nuid);
  if (chunkMap === undefined) return info;
  const { partSizes = info.partSizes, partChecksums } = partsOf(chunkMap);
  const areShown = wantsChecksums && partChecksums !== undefined;
  return { ...info, partSizes, ...(areShown && { partChecksums }) };
}

/** Returns the facts about parts in a chunk map; the checksums only if each part has one. */
function partsOf(chunkMap: ChunkMap): Partial<Pick<ObjectInfo, "partSizes" | "partChecksums">> {
  if (chunkMap.kind === "seek") return chunkMap;
  const checksums = chunkMap.parts.flatMap(({ checksum }) => checksum ?? []);
  return {
    partSizes: chunkMap.parts.map(({ size }) => size),
    partChecksums: checksums.length === chunkMap.parts.length ? checksums : undefined,
  };
}
