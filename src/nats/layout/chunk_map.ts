/**
 * Chunk maps: the record `S3.layout.<nuid>`, which holds the place of an object's chunks if object info, with its 8 KiB,
 * cannot.
 *
 * A map keeps parts as columns, so that 10,000 of them fit into one message: digests are concatenated, equal neighbours
 * counted. It keeps the seek tables of as many parts as fit; the gateway walks through a part without one.
 * @module
 */

import { Buffer } from "node:buffer";
import type { ChecksumAlgorithm, ChecksumType } from "../../s3/checksum_algorithms.ts";
import { formatRuns, formatSequences, parseRuns, parseSequences } from "./runs.ts";

/** A part of a multipart object, as a chunk map describes it. */
export type MappedPart = {
  readonly number: number;
  /** Name of the chunk group among those uploaded for this number. */
  readonly attempt: string;
  readonly size: number;
  readonly chunkSize: number;
  /** First half of the part's SHA-256, lower-case hex. */
  readonly digest: string;
  /** Base64, of the map's algorithm. */
  readonly checksum: string | undefined;
  /** Stream sequence of each chunk; undefined if unknown. */
  readonly sequences: readonly number[] | undefined;
};

/** The place of an object's chunks. */
export type ChunkMap =
  | {
    readonly kind: "seek";
    readonly sequences: readonly number[];
    /** For an object that was uploaded in parts and is one group now. */
    readonly partSizes?: readonly number[] | undefined;
    /** Base64, of the object's algorithm; undefined if a part had none. */
    readonly partChecksums?: readonly string[] | undefined;
  }
  | {
    readonly kind: "parts";
    readonly parts: readonly MappedPart[];
    readonly algorithm: ChecksumAlgorithm | undefined;
    readonly checksumType: ChecksumType | undefined;
  };

/** Most characters of a chunk map: its message stays under 1 MB. */
export const MAX_CHUNK_MAP_LENGTH = 900_000;
/** Length of an attempt's name, in characters. */
export const ATTEMPT_LENGTH = 6;
/** Length of a part's digest, in bytes. */
export const DIGEST_BYTES = 16;

/**
 * Returns the JSON of a chunk map.
 *
 * @param limit Most characters. A map of parts leaves out seek tables that do not fit; other maps may be longer.
 */
export function formatChunkMap(map: ChunkMap, limit = MAX_CHUNK_MAP_LENGTH): string {
  if (map.kind === "seek") {
    const { sequences, partSizes, partChecksums } = map;
    return JSON.stringify({
      version: 1,
      seek: formatSequences(sequences),
      sizes: partSizes && formatRuns(partSizes),
      checksums: partChecksums && formatChecksums(partChecksums),
    });
  }
  const { parts, algorithm, checksumType } = map;
  let before = 0;
  const record = {
    version: 1,
    algorithm,
    checksumType,
    numbers: formatRuns(parts.map(({ number }) => {
      const distance = number - before;
      before = number;
      return distance;
    })),
    sizes: formatRuns(parts.map(({ size }) => size)),
    chunkSizes: formatRuns(parts.map(({ chunkSize }) => chunkSize)),
    attempts: parts.map(({ attempt }) => attempt).join(""),
    digests: Buffer.from(parts.map(({ digest }) => digest).join(""), "hex").toString("base64"),
    checksums: formatChecksums(parts.map(({ checksum }) => checksum)),
  };
  const tables = parts.map(({ sequences }) => sequences ? formatSequences(sequences) : "");
  const text = JSON.stringify({ ...record, seeks: tables.join(";") });
  if (text.length <= limit) return text;
  // The long tables do not fit: readers walk through their parts instead.
  let room = limit - JSON.stringify(record).length - parts.length;
  const kept = tables.map((table) => {
    if (table.length > Math.max(64, limit / parts.length) || table.length > room) {
      return "";
    }
    room -= table.length;
    return table;
  });
  return JSON.stringify({ ...record, seeks: kept.join(";") });
}

/** Reads a chunk map; returns undefined for a text that cannot be trusted. */
export function parseChunkMap(text: string): ChunkMap | undefined {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (json === null || typeof json !== "object" || json["version"] !== 1) return undefined;
  const column = (name: string): string | undefined => {
    const value = json[name];
    return typeof value === "string" ? value : undefined;
  };

  const seek = column("seek");
  if (seek !== undefined) {
    const sequences = parseSequences(seek);
    const partSizes = parseRuns(column("sizes"));
    const partChecksums = parseChecksums(column("checksums"), partSizes?.length ?? 0);
    return sequences && { kind: "seek", sequences, partSizes, partChecksums };
  }

  const distances = parseRuns(column("numbers"));
  const sizes = parseRuns(column("sizes"));
  const chunkSizes = parseRuns(column("chunkSizes"));
  const attempts = column("attempts") ?? "";
  const digests = Buffer.from(column("digests") ?? "", "base64");
  const seeks = column("seeks")?.split(";") ?? [];
  const count = distances?.length ?? 0;
  const fits = distances !== undefined && sizes?.length === count && chunkSizes?.length === count &&
    /^[A-Za-z0-9_-]*$/.test(attempts) && attempts.length === count * ATTEMPT_LENGTH &&
    digests.length === count * DIGEST_BYTES;
  if (!fits) return undefined;
  const checksums = parseChecksums(column("checksums"), count);
  let number = 0;
  const parts = distances.map((distance, i): MappedPart => ({
    number: number += distance,
    attempt: attempts.slice(i * ATTEMPT_LENGTH, (i + 1) * ATTEMPT_LENGTH),
    size: sizes[i] ?? 0,
    chunkSize: chunkSizes[i] ?? 0,
    digest: digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES).toString("hex"),
    checksum: checksums?.[i],
    sequences: parseSequences(seeks[i]),
  }));
  return {
    kind: "parts",
    parts,
    algorithm: column("algorithm") as ChecksumAlgorithm | undefined,
    checksumType: column("checksumType") as ChecksumType | undefined,
  };
}

/** Concatenates checksums of one length; returns undefined if one is missing. */
function formatChecksums(checksums: readonly (string | undefined)[]): string | undefined {
  if (checksums.includes(undefined)) return undefined;
  return Buffer.concat(checksums.map((one) => Buffer.from(one ?? "", "base64"))).toString("base64");
}

function parseChecksums(text: string | undefined, count: number): readonly string[] | undefined {
  if (text === undefined || count === 0) return undefined;
  const all = Buffer.from(text, "base64");
  const width = all.length / count;
  return Array.from(
    { length: count },
    (_, i) => all.subarray(i * width, (i + 1) * width).toString("base64"),
  );
}
