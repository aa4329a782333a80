/**
 * The record `S3.layout.<nuid>`: where the bytes of an object are when object info cannot say it in 8 KiB.
 *
 * Parts are kept as columns, so that 10,000 of them fit into one message: digests concatenated, equal neighbours
 * counted. Seek tables of parts are kept as far as they fit; a part without one is walked through.
 * @module
 */

import { Buffer } from "node:buffer";
import type { ChecksumAlgorithm, ChecksumType } from "../../s3/checksum.ts";
import { formatRuns, formatSequences, parseRuns, parseSequences } from "./runs.ts";

/** A part of a multipart object. */
export type LayoutPart = {
  readonly number: number;
  /** Names the chunk group among those uploaded for this number. */
  readonly attempt: string;
  readonly size: number;
  readonly chunkSize: number;
  /** First half of the part's SHA-256, lower-case hex. */
  readonly digest: string;
  /** Base64, of the layout's algorithm. */
  readonly checksum: string | undefined;
  /** Stream sequence of each chunk, where known. */
  readonly sequences: readonly number[] | undefined;
};

/** What a layout record says. */
export type Layout =
  | {
    readonly kind: "seek";
    readonly sequences: readonly number[];
    /** Of an object that was uploaded in parts and is one group now. */
    readonly partSizes?: readonly number[] | undefined;
    /** Base64, of the object's algorithm, where each part had one. */
    readonly partChecksums?: readonly string[] | undefined;
  }
  | {
    readonly kind: "parts";
    readonly parts: readonly LayoutPart[];
    readonly algorithm: ChecksumAlgorithm | undefined;
    readonly checksumType: ChecksumType | undefined;
  };

/** Most characters of a layout record: a message stays under 1 MB. */
export const MAX_TEXT = 900_000;
/** Length of an attempt's name. */
export const ATTEMPT_LENGTH = 6;
/** Bytes of a part's digest. */
export const DIGEST_BYTES = 16;

/** The JSON of a layout record. */
export function formatLayout(layout: Layout): string {
  if (layout.kind === "seek") {
    const { sequences, partSizes, partChecksums } = layout;
    return JSON.stringify({
      version: 1,
      seek: formatSequences(sequences),
      sizes: partSizes && formatRuns(partSizes),
      checksums: partChecksums && formatChecksums(partChecksums),
    });
  }
  const { parts, algorithm, checksumType } = layout;
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
  if (text.length <= MAX_TEXT) return text;
  // What does not fit are long tables: their parts are walked through instead.
  let room = MAX_TEXT - JSON.stringify(record).length - parts.length;
  const kept = tables.map((table) => {
    if (table.length > Math.max(64, MAX_TEXT / parts.length) || table.length > room) return "";
    room -= table.length;
    return table;
  });
  return JSON.stringify({ ...record, seeks: kept.join(";") });
}

/**
 * Reads a layout record.
 *
 * @returns undefined for what cannot be trusted
 */
export function parseLayout(text: string): Layout | undefined {
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
  const parts = distances.map((distance, i): LayoutPart => ({
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

/** Checksums of one length, one behind the other; undefined where one is missing. */
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
