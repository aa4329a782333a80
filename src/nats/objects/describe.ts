/**
 * Describes a stored object: its object info, and the chunk map for what does not fit into object info.
 * @module
 */

import type { ObjectInfo } from "../../store/objects.ts";
import { type ChunkMap, formatChunkMap, MAX_CHUNK_MAP_LENGTH } from "../layout/chunk_map.ts";
import { MAX_PARTS_TEXT, MAX_SEEK_TEXT } from "../layout/info_metadata.ts";
import type { StoreName } from "../layout/names.ts";
import type { Nuid } from "../layout/nuid.ts";
import { formatInfo } from "../layout/format_info.ts";
import { formatRuns, formatSequences } from "../layout/runs.ts";
import type { RawInfo } from "../layout/unknown_fields.ts";
import type { VersionFacts } from "../layout/version_facts.ts";
import type { WrittenChunks } from "./chunk_writer.ts";

/** Bytes of the headers of a chunk map's message. */
const MAP_OVERHEAD = 1024;

/** An object in JetStream's terms. */
export type Description = {
  /** JSON of the object info. */
  readonly message: string;
  /** Text of the record `S3.layout.<nuid>`, to be stored before the object info; undefined if it is not needed. */
  readonly chunkMap: string | undefined;
};

/**
 * Describes an object whose bytes are one chunk group.
 *
 * @param limit Most characters of a chunk map. Without a map that fits, readers find the chunks themselves.
 * @param raw The object info to start from if this is a rewrite: fields that the gateway does not know stay in it.
 */
export function describeGroup(
  store: StoreName,
  nuid: Nuid,
  info: ObjectInfo & { readonly version?: VersionFacts | undefined },
  { received: { sha256 }, chunkSize, sequences }: WrittenChunks,
  limit: number,
  raw?: RawInfo,
): Description {
  const seek = formatSequences(sequences);
  const { partSizes, partChecksums } = info;
  const isLong = seek.length > MAX_SEEK_TEXT || partChecksums !== undefined ||
    (partSizes !== undefined && formatRuns(partSizes).length > MAX_PARTS_TEXT);
  const map = isLong
    ? formatChunkMap({ kind: "seek", sequences, partSizes, partChecksums })
    : undefined;
  // Only the map of an object that was uploaded in parts holds more than positions.
  const chunkMap = partSizes === undefined && map !== undefined && map.length > limit
    ? undefined
    : map;
  const message = formatInfo({
    ...info,
    owner: info.owner ?? "",
    store,
    nuid,
    chunks: sequences.length,
    chunkSize,
    sha256,
    ...(isLong ? { seek: undefined, firstChunk: sequences[0] } : { seek: seek || undefined }),
    layout: chunkMap === undefined ? undefined : "seek",
  }, raw);
  return { message, chunkMap };
}

/** Returns the most characters that a chunk map may have in a message that the server accepts. */
export function mapLimit({ maxPayload }: { readonly maxPayload: number }): number {
  return Math.min(MAX_CHUNK_MAP_LENGTH, maxPayload - MAP_OVERHEAD);
}

/** Describes an object whose bytes are the parts of an upload. Its chunk map is always needed. */
export function describeParts(
  store: StoreName,
  nuid: Nuid,
  info: ObjectInfo & { readonly version?: VersionFacts | undefined },
  parts: Omit<Extract<ChunkMap, { readonly kind: "parts" }>, "kind">,
  limit: number,
): Description & { readonly chunkMap: string } {
  const isEmpty = info.size === 0;
  const message = formatInfo({
    ...info,
    owner: info.owner ?? "",
    store,
    nuid,
    chunks: 0,
    chunkSize: parts.parts[0]?.chunkSize ?? 0,
    sha256: isEmpty ? SHA256_OF_NOTHING : undefined,
    seek: undefined,
    layout: isEmpty ? undefined : "parts",
  });
  return { message, chunkMap: formatChunkMap({ kind: "parts", ...parts }, limit) };
}

const SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
