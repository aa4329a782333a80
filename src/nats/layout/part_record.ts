/**
 * The record of an uploaded part: `S3.part.<id>.<number>.<facts>`, a message that says everything in its subject.
 *
 * Records lie between the chunks of their parts, so that the server reads a whole block of its file for each one that
 * is read: 128 of them take 200 ms. Their subjects it has in memory and tells in one answer, in a millisecond. The
 * message itself holds the table of chunks, for parts of which it is too long for a subject.
 * @module
 */

import { Buffer } from "node:buffer";
import { mapAtOnce } from "../../collections/map_at_once.ts";
import type { PartNumber, UploadId } from "../../s3/names.ts";
import type { PartInfo } from "../../store/store.ts";
import type { Context } from "../buckets/context.ts";
import { records, type StoreName } from "./subjects.ts";
import { ATTEMPT_LENGTH, DIGEST_BYTES, type LayoutPart } from "./chunk_map.ts";
import { textOf } from "../jetstream/messages.ts";
import { formatSequences, parseSequences } from "./runs.ts";
import type { BucketStream } from "../buckets/streams.ts";

/** A part that was uploaded. */
export type PartRecord = LayoutPart & PartInfo;

/** Longest table of chunks in a subject; a control line, with a reply subject, has 4,096 bytes. */
const MAX_SEEK_IN_SUBJECT = 1200;
/** Stands for a fact that a record has not. */
const NONE = "-";
/** Messages asked of a leader at once. */
const CONCURRENCY = 64;

/** Subject and message of a part's record. */
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
    // "*" would be a wildcard where it stood alone.
    seek === "" || seek.length > MAX_SEEK_IN_SUBJECT ? NONE : seek.replaceAll("*", "_"),
  ];
  return { subject: records.part(store, id, number, facts.join(".")), data: seek };
}

/** Reads the subject of a part's record; undefined for what is none. */
export function parsePart(subject: string): PartRecord | undefined {
  const tokens = subject.split(".").slice(5); // after "$O.<store>.S3.part.<id>"
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

/**
 * The parts of an upload by number, of each number the one that was written last. Tables of chunks that are too long for
 * a subject are missing; {@linkcode withTables} reads them.
 */
export async function readParts(
  context: Context,
  stream: BucketStream,
  id: UploadId,
): Promise<ReadonlyMap<number, PartRecord>> {
  const subjects = await context.streams.listSubjects(
    stream.stream,
    records.parts(stream.store, id),
  );
  const attempts = new Map<number, { readonly part: PartRecord; readonly subject: string }[]>();
  for (const subject of subjects) {
    const part = parsePart(subject);
    if (part === undefined) continue;
    const others = attempts.get(part.number);
    if (others === undefined) attempts.set(part.number, [{ part, subject }]);
    else others.push({ part, subject });
  }
  const parts = await mapAtOnce([...attempts.values()], CONCURRENCY, async (candidates) => {
    if (candidates.length === 1) return candidates[0]?.part;
    const sequences = await Promise.all(candidates.map(async ({ subject }) => {
      const query = { last_by_subj: subject };
      return (await context.requests.leaderGet(stream.stream, query))?.sequence ?? 0;
    }));
    return candidates[sequences.indexOf(Math.max(...sequences))]?.part;
  });
  const known = parts.filter((part) => part !== undefined).sort((a, b) => a.number - b.number);
  return new Map(known.map((part) => [part.number, part]));
}

/** Parts with their tables of chunks, also long ones. */
export async function withTables(
  context: Context,
  stream: BucketStream,
  id: UploadId,
  parts: readonly PartRecord[],
): Promise<readonly PartRecord[]> {
  return await mapAtOnce(parts, CONCURRENCY, async (part) => {
    if (part.sequences !== undefined || part.size === 0) return part;
    const { subject } = formatPart(stream.store, id, part);
    const message = await context.requests.leaderGet(stream.stream, { last_by_subj: subject });
    return { ...part, sequences: message && parseSequences(textOf(message.data)) };
  });
}

function base64urlOf(text: string, encoding: "hex" | "base64"): string {
  return Buffer.from(text, encoding).toString("base64url");
}
