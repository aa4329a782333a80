/**
 * The record of an uploaded part: `S3.part.<id>.<number>.<facts>`, a message that states every fact in its subject.
 *
 * The records lie between the chunks of their parts, so the server reads a whole block of its file for each record: 128
 * of them take 200 ms. It keeps the subjects in memory and lists them in one response, within a millisecond. The message
 * itself holds the seek table, which may be too long for a subject.
 * @module
 */

import { Buffer } from "node:buffer";
import type { PartNumber, UploadId } from "../../s3/names.ts";
import type { PartInfo } from "../../store/store.ts";
import { parseSubjectOf, records } from "./subjects.ts";
import type { StoreName } from "./names.ts";
import { ATTEMPT_LENGTH, DIGEST_BYTES, type MappedPart } from "./chunk_map.ts";
import { formatSequences, parseSequences } from "./runs.ts";

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

/** Reads the subject of a part's record; returns undefined for any other subject. */
export function parsePart(store: StoreName, subject: string): PartRecord | undefined {
  const tokens = parseSubjectOf("part", store, subject)?.facts ?? [];
  const [number, attempt = "", size, chunkSize, md5, short, checksum = "", modified, seek = ""] =
    tokens;
  const [n = NaN, bytes = NaN, chunkBytes = NaN, time = NaN] = [number, size, chunkSize, modified]
    .map((text) => /^\d{1,15}$/.test(text ?? "") ? Number(text) : NaN);
  const [etag, digest] = [md5, short].map((text = "") => Buffer.from(text, "base64url"));
  const fits = tokens.length === 9 && attempt.length === ATTEMPT_LENGTH && etag?.length === 16 &&
    digest?.length === DIGEST_BYTES && n + bytes + chunkBytes + time >= 0;
  if (!fits) return undefined;
  return {
    number: n as PartNumber,
    attempt,
    size: bytes,
    chunkSize: chunkBytes,
    etag: etag.toString("hex"),
    digest: digest.toString("hex"),
    checksum: checksum === NONE ? undefined : Buffer.from(checksum, "base64url").toString("base64"),
    modified: new Date(time),
    sequences: seek === NONE ? undefined : parseSequences(seek.replaceAll("_", "*")),
  };
}

function base64urlOf(text: string, encoding: "hex" | "base64"): string {
  return Buffer.from(text, encoding).toString("base64url");
}
