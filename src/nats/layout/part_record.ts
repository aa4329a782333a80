/**
 * The record of an uploaded part: `S3.part.<id>.<number>.<facts>`, a message that states every fact in its subject.
 *
 * The records lie between the chunks of their parts, so the server reads a whole block of its file for each record: 128
 * of them take 200 ms. It keeps the subjects in memory and lists them in one response, within a millisecond. The message
 * itself holds the seek table, which may be too long for a subject.
 * @module
 */

import { Buffer } from "node:buffer";
import { CHECKSUM_LENGTHS } from "../../s3/checksum_algorithms.ts";
import type { PartNumber, UploadId } from "../../s3/names.ts";
import type { PartInfo } from "../../store/uploads.ts";
import { DIGEST_BYTES, isPartSize, type MappedPart } from "./chunk_map.ts";
import type { StoreName } from "./names.ts";
import { formatSequences, parseSequences } from "./runs.ts";
import { isAttempt, isPartNumber } from "./chunk_subjects.ts";
import { parseSubjectOf, records } from "./subjects.ts";

/** An uploaded part. */
export type PartRecord = MappedPart & PartInfo;

/** Longest seek table in a subject, in characters; a control line, with its reply subject, has 4,096 bytes. */
const MAX_SEEK_IN_SUBJECT = 1200;
/** Stands for a fact that a part lacks. */
const NONE = "-";

/** Returns the subject and the message of a part's record. */
export function formatPart(
  store: StoreName,
  id: UploadId,
  { number, attempt, size, chunkSize, etag, digest, checksum, sequences, modified }: PartRecord,
): { readonly subject: string; readonly data: string } {
  const seek = formatSequences(sequences ?? []);
  const facts = [
    attempt,
    size,
    chunkSize,
    base64urlOf(etag, "hex"),
    base64urlOf(digest, "hex"),
    checksum === undefined ? NONE : base64urlOf(checksum, "base64"),
    modified.getTime(),
    // A "*" that stood alone would be a wildcard.
    seek === "" || seek.length > MAX_SEEK_IN_SUBJECT ? NONE : seek.replaceAll("*", "_"),
  ];
  return { subject: records.part(store, id, number, facts.join(".")), data: seek };
}

/** Reads the subject of a part's record; returns undefined for one that cannot be trusted, and for any other subject. */
export function parsePart(store: StoreName, subject: string): PartRecord | undefined {
  const tokens = parseSubjectOf("part", store, subject)?.facts ?? [];
  const [number, attempt, bytes, chunkBytes, md5, short, sum, modified, seek = ""] = tokens;
  const [size, chunkSize, time] = [parseCount(bytes), parseCount(chunkBytes), parseCount(modified)];
  const etag = parseBytes(md5, [16]);
  const digest = parseBytes(short, [DIGEST_BYTES]);
  const checksum = sum === NONE ? undefined : parseBytes(sum, CHECKSUM_LENGTHS);
  const fits = tokens.length === 9 && isPartNumber(number) && isAttempt(attempt) &&
    etag !== undefined && digest !== undefined && (sum === NONE || checksum !== undefined) &&
    isPartSize(size, chunkSize) && time <= MAX_TIME;
  if (!fits) return undefined;
  return {
    number: Number(number) as PartNumber,
    attempt,
    size,
    chunkSize,
    etag: etag.toString("hex"),
    digest: digest.toString("hex"),
    checksum: checksum?.toString("base64"),
    modified: new Date(time),
    sequences: size === 0 || seek === NONE
      ? undefined
      : parseSequences(seek.replaceAll("_", "*"), Math.ceil(size / chunkSize)),
  };
}

/** The end of the year 9999, in milliseconds since 1970. */
const MAX_TIME = 253_402_300_799_999;

/** Returns the number of a text of digits; NaN for any other text. */
function parseCount(text = ""): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : NaN;
}

/** Returns the bytes of a base64url text in its one spelling, if they have one of some lengths. */
function parseBytes(text: string | undefined, lengths: readonly number[]): Buffer | undefined {
  const bytes = Buffer.from(text ?? "", "base64url");
  return lengths.includes(bytes.length) && bytes.toString("base64url") === text ? bytes : undefined;
}

function base64urlOf(text: string, encoding: "hex" | "base64"): string {
  return Buffer.from(text, encoding).toString("base64url");
}
